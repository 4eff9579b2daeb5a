// The picture of the degradation comparison: training and test error by epoch, plain nets beside residual ones.
import { chart, type Series } from '../../lib/train/report/curves.js';
import { at, colours, picture, text } from '../../lib/train/report/svg.js';

export const kinds = ['plain', 'v1', 'v2'] as const;
export type Kind = (typeof kinds)[number];

/** One trained net. */
export interface Curve {
  kind: Kind;
  depth: number;
  /** By epoch, from 0 to 1. */
  trainError: number[];
  testError: number[];
}

const [width, height, margin, gap] = [1200, 470, 40, 44];
const chartWidth = (width - 2 * margin - gap) / 2;

const styles = {
  plain: { colour: colours.published, shape: 'triangle-up' },
  v1: { colour: colours.run, shape: 'circle' },
  v2: { colour: colours.runTrain, shape: 'diamond' },
} as const;

/** The SVG. `subtitle`: one line, how the nets were trained. */
export async function degradationChart(curves: readonly Curve[], subtitle: string): Promise<string> {
  const depths = [...new Set(curves.map(({ depth }) => depth))];
  const title = `Plain and residual nets of ${depths.join(' and ')} layers`;
  const panel = (heading: string, errors: (curve: Curve) => number[]): Promise<string> =>
    chart({
      title: heading,
      yTitle: 'images classified wrongly',
      yFormat: '.0%',
      fromZero: true,
      series: curves.map((curve) => line(curve, errors(curve), curves)),
      width: chartWidth,
      height: 360,
    });
  return `${picture(
    { width, height, title },
    text(margin, 40, title, { 'font-size': 22, 'font-weight': 700 }),
    text(margin, 64, subtitle, { 'font-size': 13.5, fill: colours.muted }),
    at(margin, 92, await panel('Training error', ({ trainError }) => trainError)),
    at(margin + chartWidth + gap, 92, await panel('Test error', ({ testError }) => testError)),
  )}\n`;
}

/** The deepest nets have full lines, shallower ones dashed. */
function line({ kind, depth }: Curve, errors: readonly number[], all: readonly Curve[]): Series {
  const isDeepest = depth === Math.max(...all.map((curve) => curve.depth));
  return {
    name: `${kind} ${depth}`,
    points: errors.map((error, i) => [i + 1, error]),
    ...styles[kind],
    dash: isDeepest ? [] : [5, 4],
    filled: isDeepest,
  };
}
