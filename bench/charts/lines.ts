// A small plot of a few lines over a logarithmic or even x axis.
import { at, colours, element, text } from '../../lib/train/report/svg.js';

export interface Line {
  name: string;
  /** [x, y], by rising x. */
  points: readonly (readonly [number, number])[];
}

export interface PlotOptions {
  title: string;
  xTitle: string;
  yTitle: string;
  /** Whether equal factors of x are equally far apart. */
  logarithmic: boolean;
  /** The least and the most of the y axis. Default: from 0 to a round number. */
  range?: readonly [number, number];
  /** What is marked on the x axis. Default: every x of the lines. */
  ticks?: readonly number[];
  lines: readonly Line[];
}

export const [plotWidth, plotHeight] = [460, 320];
const [left, right, above, below] = [62, 16, 66, 44];
const palette = [colours.run, colours.published, colours.runTrain, colours.wrong];

/** The plot as SVG, its upper left corner at (0, 0), plotWidth by plotHeight. */
export function linePlot({ title, xTitle, yTitle, logarithmic, range, lines, ...options }: PlotOptions): string {
  const points = lines.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const ticks = options.ticks ?? [...new Set(xs)].sort((a, b) => a - b);
  const along = (x: number): number => (logarithmic ? Math.log2(x) : x);
  const [low, high] = [along(Math.min(...xs, ...ticks)), along(Math.max(...xs, ...ticks))];
  const [floor, top] = range ?? [0, niceTop(Math.max(...points.map(([, y]) => y)))];
  const placeX = (x: number): number =>
    left + ((along(x) - low) / Math.max(1e-9, high - low)) * (plotWidth - left - right);
  const placeY = (y: number): number =>
    plotHeight - below - ((Math.max(y, floor) - floor) / (top - floor)) * (plotHeight - above - below);
  const bottom = plotHeight - below;
  return [
    text(0, 16, title, { 'font-size': 15, 'font-weight': 600 }),
    at(0, 36, legend(lines)),
    ...[0, 0.25, 0.5, 0.75, 1]
      .map((part) => floor + (top - floor) * part)
      .flatMap((y) => [
        element('line', {
          x1: left,
          x2: plotWidth - right,
          y1: placeY(y),
          y2: placeY(y),
          stroke: colours.grid,
        }),
        label(left - 8, placeY(y) + 4, String(Number(y.toPrecision(3))), 'end'),
      ]),
    ...ticks.map((x) => label(placeX(x), bottom + 17, String(x), 'middle')),
    label((left + plotWidth - right) / 2, plotHeight - 8, xTitle, 'middle'),
    text(0, 0, yTitle, {
      transform: `translate(14,${(above + bottom) / 2}) rotate(-90)`,
      'text-anchor': 'middle',
      'font-size': 12,
      fill: colours.muted,
    }),
    ...lines.map((line, i) => lineMarks(line, palette[i % palette.length]!, placeX, placeY)),
  ].join('');
}

const label = (x: number, y: number, content: string, anchor: string): string =>
  text(x, y, content, { 'text-anchor': anchor, 'font-size': 12, fill: colours.muted });

function legend(lines: readonly Line[]): string {
  let x = left;
  return lines
    .map(({ name }, i) => {
      const sample = element('rect', { x, y: -8, width: 14, height: 4, fill: palette[i % palette.length]! });
      const item = sample + text(x + 19, 0, name, { 'font-size': 12, fill: colours.muted });
      x += 19 + name.length * 6.6 + 16;
      return item;
    })
    .join('');
}

function lineMarks(
  { points }: Line,
  colour: string,
  placeX: (x: number) => number,
  placeY: (y: number) => number,
): string {
  const places = points.map(([x, y]) => [placeX(x).toFixed(1), placeY(y).toFixed(1)] as const);
  const path = places.map(([x, y]) => `${x},${y}`).join(' ');
  return (
    element('polyline', { points: path, fill: 'none', stroke: colour, 'stroke-width': 2.2 }) +
    places.map(([cx, cy]) => element('circle', { cx, cy, r: 3.4, fill: colour })).join('')
  );
}

/** The least of 1, 2, 4, 5, 8 times a power of ten that is not below the value. */
function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (([1, 2, 4, 5, 8, 10].find((factor) => factor * power >= value) ?? 10) as number);
}
