// The images that the net is most sure of and wrong about, and how well it does on each class.
import { basename } from 'node:path';
import { count, percent } from '../cli/format.js';
import type { RunRecord } from '../cli/run-record.js';
import { pngDataUri } from '../train/report/png.js';
import { breakable, type Html, html } from './html.js';
import { className, type ValidatedEpoch } from './run-facts.js';
import type { Mistake } from './worst-mistakes.js';

export function mistakesSection(record: RunRecord, mistakes: readonly Mistake[]): Html {
  return html`<section id="mistakes">
<h2>Worst mistakes</h2>
<p class="note">The validation images that the net is most sure of and wrong about, as it sees them.</p>
<div class="mistakes">${mistakes.map((mistake) => tile(record, mistake))}</div>
</section>`;
}

function tile(record: RunRecord, mistake: Mistake): Html {
  const [actual, predicted] = [className(record, mistake.actual), className(record, mistake.predicted)];
  const isSmall = Math.max(mistake.width, mistake.height) < 100;
  return html`<figure class="mistake"><img${isSmall ? html` class="small"` : null} src="${pngDataUri(mistake)}" width="${mistake.width}" height="${mistake.height}" alt="an image of ${actual}">
<figcaption><span class="predicted"><bdi>${breakable(predicted)}</bdi> <small>${percent(mistake.probability, 1)}</small></span><span class="actual">is <bdi>${breakable(actual)}</bdi></span>${fileName(mistake)}</figcaption></figure>`;
}

/** The file's own name; the whole path for the pointer. */
const fileName = ({ file }: Mistake): Html | null =>
  file === undefined ? null : html`<span class="file" title="${file}">${basename(file)}</span>`;

export function classesSection(record: RunRecord, { epoch, validation }: ValidatedEpoch): Html {
  return html`<section id="classes">
<h2>Classes</h2>
<p class="note">After epoch ${epoch}. Precision: of the images predicted as the class, the part that is. Recall: of the images of the class, the part predicted as it.</p>
<div class="scroll tall"><table class="figures sortable" id="class-table">
<thead><tr><th aria-sort="none"><button>class</button></th><th aria-sort="none"><button>precision</button></th><th aria-sort="none"><button>recall</button></th><th aria-sort="none"><button>images</button></th></tr></thead>
<tbody>${validation.classes.map(
    ({ precision, recall, images }, i) =>
      html`<tr><th data-value="${i}">${breakable(className(record, i))}</th>${part(precision)}${part(recall)}<td data-value="${images}">${count(images)}</td></tr>`,
  )}</tbody></table></div>
</section>`;
}

/** A share with a bar behind it; nothing divided by nothing is no number. */
function part(value: number | null): Html {
  if (value === null) return html`<td data-value="-1">\u2013</td>`;
  return html`<td class="bar" data-value="${value}" style="--part:${value.toFixed(4)}"><span>${percent(value, 1)}</span></td>`;
}
