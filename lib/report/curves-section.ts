// Loss, accuracy, learning rate and speed of a run as curves, and its epochs as a table.
import { count, duration, percent } from '../cli/format.js';
import type { RunRecord } from '../cli/run-record.js';
import { isFigure } from '../train/confusion.js';
import type { FitEpoch } from '../train/index.js';
import { chart, type Line } from './chart.js';
import { type Html, html } from './html.js';
import { type Metrics, type ProblemLine, type StepGroup, speeds, thinned } from './metrics-file.js';
import { hasTop5, lossText, plural, significant } from './run-facts.js';

const [training, validation] = [1, 0]; // colours

const short = (value: number): string => significant(value, 3);

export function curvesSection(record: RunRecord, { steps, problems }: Metrics): Html {
  const groups = thinned(steps);
  const perSecond = speeds(steps);
  return html`<section id="curves">
<h2>Curves</h2>
${problemsText(problems, record)}
${missing(record)}
<div class="charts">
${record.epochs.length === 0 ? null : epochCharts(record.epochs)}
${steps.length === 0 ? null : stepCharts(groups, Math.ceil(steps.length / groups.length))}
${perSecond.size === 0 ? null : speedChart(perSecond)}
</div>
${record.epochs.length === 0 ? null : epochTable(record, perSecond)}
</section>`;
}

/** Says what is not there. */
function missing({ epochs, testImages }: RunRecord): Html | null {
  if (epochs.length === 0) return html`<p class="empty">No epoch was completed.</p>`;
  if (testImages > 0) return null;
  return html`<p class="empty">There was no validation: neither confusion matrix nor numbers for each class.</p>`;
}

function epochCharts(epochs: readonly FitEpoch[]): Html[] {
  const line = (name: string, colour: number, value: (epoch: FitEpoch) => number | null): Line => ({
    name,
    colour,
    dashed: colour === training,
    points: epochs.map((epoch) => [epoch.epoch, value(epoch)] as const),
  });
  const validated = epochs.some((epoch) => epoch.validation !== null);
  const ofValidation = (name: 'loss' | 'top1'): Line[] =>
    validated
      ? [line('validation', validation, ({ validation: test }) => (test && isFigure(test) ? test[name] : null))]
      : [];
  return [
    chart({
      id: 'loss-chart',
      title: validated ? 'Loss' : 'Training loss',
      xName: 'epoch',
      fromZero: true,
      format: short,
      lines: [...ofValidation('loss'), line('training', training, (epoch) => epoch.loss)],
    }),
    chart({
      id: 'accuracy-chart',
      title: validated ? 'Accuracy' : 'Training accuracy',
      xName: 'epoch',
      fromZero: false,
      most: 1,
      format: (y) => `${Number((y * 100).toFixed(2))}%`,
      lines: [...ofValidation('top1'), line('training', training, (epoch) => epoch.trainAccuracy)],
    }),
  ];
}

function stepCharts(groups: readonly StepGroup[], groupSize: number): Html[] {
  const isThinned = groupSize > 1;
  return [
    chart({
      id: 'step-loss-chart',
      title: 'Loss of each step',
      note: isThinned ? `Mean of ${groupSize} steps at a time, between the lowest and the highest.` : undefined,
      xName: 'step',
      fromZero: true,
      format: short,
      lines: [
        {
          name: 'training',
          colour: training,
          points: groups.map(({ step, loss }) => [step, loss] as const),
          band: isThinned
            ? groups.filter(({ loss }) => loss !== null).map(({ step, low, high }) => [step, low, high] as const)
            : [],
        },
      ],
    }),
    chart({
      id: 'rate-chart',
      title: 'Learning rate',
      xName: 'step',
      fromZero: true,
      format: short,
      lines: [
        {
          name: 'learning rate',
          colour: 2,
          points: groups.map(({ step, learningRate }) => [step, learningRate] as const),
        },
      ],
    }),
  ];
}

function speedChart(perSecond: ReadonlyMap<number, number>): Html {
  return chart({
    id: 'speed-chart',
    title: 'Training images a second',
    xName: 'epoch',
    fromZero: true,
    format: (y) => count(Math.round(y)),
    lines: [{ name: 'images/s', colour: 3, points: [...perSecond] }],
  });
}

const problemsShown = 5;

function problemsText(problems: readonly ProblemLine[], { skippedSteps }: RunRecord): Html {
  const shown = problems.slice(0, problemsShown);
  const more = problems.length - shown.length;
  return html`${
    problems.length === 0
      ? null
      : html`<ul class="problems" id="problems">${shown.map(
          ({ epoch, batch, step, loss, layer, action }) =>
            html`<li>${batch === undefined ? `Step ${step}` : `Batch ${batch}`} of epoch ${epoch}: the loss was ${loss}, first seen in ${layer} (${action}).</li>`,
        )}${more > 0 ? html`<li>and ${plural(more, 'more step')}</li>` : null}</ul>`
  }${
    skippedSteps > 0
      ? html`<p class="note">${plural(skippedSteps, 'step')} left out: gradients overflowed float16.</p>`
      : null
  }`;
}

function epochTable(record: RunRecord, perSecond: ReadonlyMap<number, number>): Html {
  const { epochs } = record;
  const top5 = hasTop5(record);
  const share = (value: number | undefined): string => (value === undefined ? '\u2013' : percent(value));
  return html`<details class="fold"${epochs.length <= 12 ? html` open` : null}><summary>Epochs</summary>
<div class="scroll"><table class="figures" id="epochs">
<thead><tr><th>epoch</th><th>training loss</th><th>training acc.</th><th>validation loss</th><th>${top5 ? 'top 1' : 'accuracy'}</th>${top5 ? html`<th>top 5</th>` : null}<th>learning rate</th><th>images/s</th><th>time</th></tr></thead>
<tbody>${epochs.map(({ epoch, loss, trainAccuracy, validation: test, learningRate, seconds }) => {
    const speed = perSecond.get(epoch);
    const figures = test && isFigure(test) ? test : null;
    return html`<tr><th>${epoch}</th><td>${lossText(loss)}</td><td>${percent(trainAccuracy)}</td><td>${
      test ? lossText(test.loss) : '\u2013'
    }</td><td>${share(figures?.top1)}</td>${top5 ? html`<td>${share(figures?.top5)}</td>` : null}<td>${short(learningRate)}</td><td>${
      speed === undefined ? '\u2013' : count(Math.round(speed))
    }</td><td>${duration(seconds)}</td></tr>`;
  })}</tbody></table></div></details>`;
}
