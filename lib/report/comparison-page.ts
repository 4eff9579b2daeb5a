// Runs beside each other as one HTML file that needs no other.
import { chart, type Line } from './chart.js';
import type { ComparedRun } from './compared-run.js';
import { configRows, type Row, resultRows } from './comparison.js';
import { type Html, html } from './html.js';
import { type EpochValue, lineName } from './line-name.js';
import { page } from './page.js';
import { significant } from './run-facts.js';

const colours = 8; // then they begin again, dashed

/** The text of the file. */
export function comparisonHtml(runs: readonly ComparedRun[]): string {
  const title = `Comparison of ${runs.length} runs`;
  const different = configRows(runs);
  return page(
    title,
    html`<header><h1>${title}</h1></header>
<main>
<section id="results"><h2>Results</h2>${rowsTable(runs, resultRows(runs))}</section>
<section id="curves"><h2>Curves</h2><div class="charts">${charts(runs)}</div></section>
<section id="config"><h2>Config that differs</h2>${
      different.length === 0 ? html`<p class="empty">The configs are the same.</p>` : rowsTable(runs, different)
    }</section>
</main>`,
  );
}

function charts(runs: readonly ComparedRun[]): Html[] {
  const lines = (value: EpochValue): Line[] =>
    runs.map(({ epochs }, i) => ({
      name: lineName(runs, i, value),
      colour: i % colours,
      dashed: i >= colours,
      points: epochs.map((epoch) => [epoch.epoch, value(epoch)] as const),
    }));
  const share = (y: number): string => `${Number((y * 100).toFixed(2))}%`;
  const loss = (y: number): string => significant(y, 3);
  const accuracy = { xName: 'epoch', fromZero: false, most: 1, format: share };
  const losses = { xName: 'epoch', fromZero: true, format: loss };
  return [
    chart({ ...accuracy, id: 'accuracy-chart', title: 'Validation accuracy', lines: lines(({ top1 }) => top1) }),
    chart({ ...losses, id: 'loss-chart', title: 'Training loss', lines: lines((epoch) => epoch.loss) }),
    chart({
      ...losses,
      id: 'validation-loss-chart',
      title: 'Validation loss',
      lines: lines(({ validationLoss }) => validationLoss),
    }),
    chart({
      ...accuracy,
      id: 'training-accuracy-chart',
      title: 'Training accuracy',
      lines: lines(({ trainAccuracy }) => trainAccuracy),
    }),
  ];
}

function rowsTable(runs: readonly ComparedRun[], rows: readonly Row[]): Html {
  return html`<div class="scroll"><table class="figures">
<thead><tr><th></th>${runs.map(({ name }) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${rows.map(([name, values]) => html`<tr><th>${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`)}</tbody>
</table></div>`;
}
