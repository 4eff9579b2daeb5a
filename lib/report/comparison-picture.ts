// The curves of runs in one SVG picture, drawn by vega.
import { chart, type Series } from '../train/report/curves.js';
import { at, colours, picture, text } from '../train/report/svg.js';
import type { ComparedRun } from './compared-run.js';
import { type EpochValue, lineName } from './line-name.js';

const [width, height, margin, gap] = [1200, 470, 40, 44];
const chartWidth = (width - 2 * margin - gap) / 2;

/** Of Okabe and Ito's colours, those that stand out from paper. */
const lineColours = [colours.run, colours.published, colours.runTrain, '#9a5b8f', '#b08a00', '#59636e'];
const shapes = ['circle', 'diamond', 'triangle-up'] as const;

/** A picture of 1200x470 pixels: validation accuracy and training loss by epoch. */
export async function comparisonSvg(runs: readonly ComparedRun[]): Promise<string> {
  const title = `Comparison of ${runs.length} runs`;
  const panel = (heading: string, yTitle: string, yFormat: string, value: EpochValue) =>
    chart({
      title: heading,
      yTitle,
      yFormat,
      fromZero: false,
      series: runs.map((_, i) => series(runs, i, value)),
      width: chartWidth,
      height: 360,
    });
  return `${picture(
    { width, height, title },
    text(margin, 44, title, { 'font-size': 22, 'font-weight': 700 }),
    at(margin, 84, await panel('Validation accuracy', 'images classified correctly', '.1%', ({ top1 }) => top1)),
    at(margin + chartWidth + gap, 84, await panel('Training loss', 'mean cross-entropy', '.2f', ({ loss }) => loss)),
  )}\n`;
}

function series(runs: readonly ComparedRun[], i: number, value: EpochValue): Series {
  const points = (runs[i] as ComparedRun).epochs.flatMap((epoch) => {
    const y = value(epoch);
    return y === null || !Number.isFinite(y) ? [] : [[epoch.epoch, y] as const];
  });
  return {
    name: lineName(runs, i, value),
    points,
    colour: lineColours[i % lineColours.length] as string,
    shape: shapes[i % shapes.length] as Series['shape'],
    dash: i < lineColours.length ? [] : [6, 4],
    filled: i < lineColours.length,
  };
}
