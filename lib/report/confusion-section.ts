// Which classes a net takes for which: the confusion matrix as a heat map, and the pairs that are confused most.
import { count, percent } from '../cli/format.js';
import type { RunRecord } from '../cli/run-record.js';
import { breakable, type Html, html } from './html.js';
import { className, plural, type ValidatedEpoch } from './run-facts.js';

const mostWithNumbers = 20;
const mostDrawn = 100;
const pairsShown = 12;
/** Of a matrix without numbers at most so many classes have their names beside it. */
const mostNamed = 25;

export function confusionSection(record: RunRecord, { epoch, validation }: ValidatedEpoch): Html {
  const { confusion } = validation;
  const names = confusion.map((_, i) => className(record, i));
  const isDrawn = names.length <= mostDrawn;
  const explanation = isDrawn
    ? 'A row for each true class, a column for each predicted one; colours by share of the row.'
    : `The matrix of ${names.length} classes is too large to draw.`;
  return html`<section id="confusion">
<h2>Confusion</h2>
<p class="note">${plural(validation.images, 'validation image')} after epoch ${epoch}. ${explanation}</p>
<div class="confusion">
${isDrawn ? (names.length <= mostWithNumbers ? numberTable : heatMap)(confusion, names) : null}
${pairsList(confusion, names)}
</div>
</section>`;
}

function numberTable(confusion: readonly number[][], names: readonly string[]): Html {
  return html`<div class="scroll"><table class="matrix" id="matrix">
<thead><tr><td class="corner"></td>${names.map((name) => html`<th scope="col"><span title="${name}">${name}</span></th>`)}</tr></thead>
<tbody>${confusion.map(
    (row, i) =>
      html`<tr><th scope="row" title="${names[i] ?? ''}">${names[i] ?? ''}</th>${row.map((images, j) => numberCell(images, share(images, row), i === j, title(names, i, j, images)))}</tr>`,
  )}</tbody></table></div>`;
}

function numberCell(images: number, part: number, isRight: boolean, words: string): Html {
  const kind = [isRight ? 'right' : 'wrong', ...(part > 0.5 ? ['full'] : []), ...(images === 0 ? ['none'] : [])];
  return html`<td class="${kind.join(' ')}" style="--part:${strength(part)}" title="${words}">${count(images)}</td>`;
}

/** Without numbers: a square for each pair that occurs, and the names of some classes. */
function heatMap(confusion: readonly number[][], names: readonly string[]): Html {
  const n = names.length;
  const squares = confusion.flatMap((row, i) =>
    row.flatMap((images, j) =>
      images === 0
        ? []
        : html`<rect class="${i === j ? 'right' : 'wrong'}" x="${j}" y="${i}" width="1" height="1" style="--part:${strength(share(images, row))}"><title>${title(names, i, j, images)}</title></rect>`,
    ),
  );
  const step = Math.ceil(n / mostNamed);
  const named = names.flatMap((name, i) => (i % step === 0 ? [{ name, i, place: `${((i + 0.5) / n) * 100}%` }] : []));
  return html`<div class="map"><div class="columns" aria-hidden="true">${named.map(
    ({ name, place }) => html`<span style="left:${place}" title="${name}">${name}</span>`,
  )}</div><div class="rows" aria-hidden="true">${named.map(
    ({ name, place }) => html`<span style="top:${place}" title="${name}">${name}</span>`,
  )}</div><svg class="heat" id="matrix" viewBox="0 0 ${n} ${n}" role="img" aria-label="Confusion matrix of ${n} classes"><rect class="paper" width="${n}" height="${n}"/>${named.map(
    ({ i }) => html`<path class="grid" d="M0 ${i + 0.5}H${n}M${i + 0.5} 0V${n}"/>`,
  )}${squares}</svg></div>`;
}

function pairsList(confusion: readonly number[][], names: readonly string[]): Html {
  const pairs = confusion
    .flatMap((row, i) => row.map((images, j) => ({ i, j, images, part: share(images, row) })))
    .filter(({ i, j, images }) => i !== j && images > 0)
    .sort((a, b) => b.images - a.images || b.part - a.part)
    .slice(0, pairsShown);
  if (pairs.length === 0) return html`<p class="empty">No image was classified wrongly.</p>`;
  return html`<div><h3>Confused most</h3><ol class="pairs" id="pairs">${pairs.map(
    ({ i, j, images, part }) =>
      html`<li><span class="names"><b><bdi>${breakable(names[i] ?? '')}</bdi></b> taken for <b><bdi>${breakable(names[j] ?? '')}</bdi></b></span><span class="amount">${count(images)} <small>${percent(part, 1)}</small></span></li>`,
  )}</ol></div>`;
}

function share(images: number, row: readonly number[]): number {
  const all = row.reduce((sum, each) => sum + each, 0);
  return all === 0 ? 0 : images / all;
}

/** How strong a colour is, from 0 to 1: rare confusions are to be seen too. */
const strength = (part: number): string => Math.sqrt(part).toFixed(3);

const title = (names: readonly string[], i: number, j: number, images: number): string =>
  `${plural(images, 'image')} of ${names[i]} taken for ${names[j]}`;
