// Which classes a net takes for which: the confusion matrix as a heat map, and the pairs that are confused most.
import { count, percent } from '../cli/format.js';
import type { RunRecord } from '../cli/run-record.js';
import { confusionMap, mapNote, pairTitle, share, strength } from './confusion-map.js';
import { breakable, type Html, html } from './html.js';
import { className, plural, type ValidatedEpoch } from './run-facts.js';

const mostWithNumbers = 20;
const pairsShown = 12;

export function confusionSection(record: RunRecord, { epoch, validation }: ValidatedEpoch): Html {
  const { confusion } = validation;
  const names = confusion.map((_, i) => className(record, i));
  const hasNumbers = names.length <= mostWithNumbers;
  return html`<section id="confusion">
<h2>Confusion</h2>
<p class="note">${plural(validation.images, 'validation image')} after epoch ${epoch}. A row for each true class, a column for each predicted one; colours by share of the row.${hasNumbers ? null : mapNote(names.length)}</p>
<div class="confusion">
${(hasNumbers ? numberTable : confusionMap)(confusion, names)}
${pairsList(confusion, names)}
</div>
</section>`;
}

function numberTable(confusion: readonly number[][], names: readonly string[]): Html {
  return html`<div class="scroll"><table class="matrix" id="matrix">
<thead><tr><td class="corner"></td>${names.map((name) => html`<th scope="col"><span title="${name}">${name}</span></th>`)}</tr></thead>
<tbody>${confusion.map(
    (row, i) =>
      html`<tr><th scope="row" title="${names[i] ?? ''}">${names[i] ?? ''}</th>${row.map((images, j) => numberCell(images, share(images, row), i === j, pairTitle(names, i, j, images)))}</tr>`,
  )}</tbody></table></div>`;
}

function numberCell(images: number, part: number, isRight: boolean, words: string): Html {
  const kind = [isRight ? 'right' : 'wrong', ...(part > 0.5 ? ['full'] : []), ...(images === 0 ? ['none'] : [])];
  return html`<td class="${kind.join(' ')}" style="--part:${strength(part).toFixed(3)}" title="${words}">${count(images)}</td>`;
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
