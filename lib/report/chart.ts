// Line charts of a page. The lines are SVG stretched over the plot; labels are HTML beside it, so that they keep their size whatever the
// width of the page.
import { type Html, html } from './html.js';
import { niceAxis, ticksWithin } from './ticks.js';

/** [x, y]; a y that is null or not finite leaves a gap. */
export type Point = readonly [x: number, y: number | null];

export interface Line {
  name: string;
  /** By rising x. */
  points: readonly Point[];
  /** Number of one of the page's colours, from 0 to 7. */
  colour: number;
  dashed?: boolean;
  /** [x, lowest, highest] around the line, by rising x. */
  band?: readonly (readonly [x: number, low: number, high: number])[];
}

export interface ChartOptions {
  /** Name in the page, for links and tests. */
  id: string;
  title: string;
  /** What x counts: 'epoch', 'step'. */
  xName: string;
  lines: readonly Line[];
  fromZero: boolean;
  /** The most that y can be, where there is such a bound. */
  most?: number;
  format: (y: number) => string;
  /** A sentence below the title. */
  note?: string;
}

const markedPoints = 60; // with more points, marks would cover each other

/** A chart, or a sentence where no line has a finite value. */
export function chart(options: ChartOptions): Html {
  const { id, title, note, lines } = options;
  const drawn = lines.filter((line) => line.points.some(([, y]) => isNumber(y)));
  const body = drawn.length === 0 ? html`<p class="empty">There is no finite value to draw.</p>` : plot(options, drawn);
  return html`<figure class="chart" id="${id}">
<figcaption><h3>${title}</h3>${note === undefined ? null : html`<p class="note">${note}</p>`}${lines.length > 1 ? legend(drawn) : null}</figcaption>
${body}
</figure>`;
}

function legend(lines: readonly Line[]): Html {
  return html`<ul class="legend">${lines.map(
    (line) =>
      html`<li><svg class="sample c${line.colour}" viewBox="0 0 24 8" aria-hidden="true">${strokeOf(line, 'M0,4H24')}</svg>${line.name}</li>`,
  )}</ul>`;
}

interface Place {
  /** In percent of the plot's width, from the left. */
  x: (x: number) => number;
  /** In percent of its height, from the top. */
  y: (y: number) => number;
}

function plot({ id, title, xName, fromZero, most, format }: ChartOptions, lines: readonly Line[]): Html {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const ys = lines.flatMap(({ points }) => points.map(([, y]) => y).filter(isNumber));
  const [first, last] = [xs[0] as number, xs.at(-1) as number];
  const xAxis = ticksWithin(first, last, { count: 6, whole: true });
  const yAxis = niceAxis(fromZero ? Math.min(0, ...lowest(ys)) : (lowest(ys)[0] as number), highest(ys), { count: 4 });
  if (most !== undefined && yAxis.to > most) yAxis.to = most;
  const place: Place = {
    x: (x) => round(first === last ? 50 : ((x - first) / (last - first)) * 100),
    y: (y) => round(100 - ((y - yAxis.from) / (yAxis.to - yAxis.from)) * 100),
  };
  const yTicks = yAxis.ticks.filter((tick) => tick <= yAxis.to);
  return html`<div class="plot" data-x-name="${xName}" data-points="${hoverData(xs, lines, place, format)}">
<div class="y-labels">${yTicks.map((tick) => html`<span style="top:${place.y(tick)}%">${format(tick)}</span>`)}</div>
<div class="area">
<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${summary(title, lines, format)}">
<defs><clipPath id="${id}-clip"><rect width="100" height="100"/></clipPath></defs>
${yTicks.map((tick) => html`<path class="grid" d="M0,${place.y(tick)}H100"/>`)}
<g clip-path="url(#${id}-clip)">${lines.map((line) => bandOf(line, place))}</g>
${lines.map((line) => lineOf(line, place))}
</svg>
</div>
<div class="x-labels">${xAxis.ticks.map((tick) => html`<span style="left:${place.x(tick)}%">${tick.toLocaleString('en-US')}</span>`)}</div>
<div class="x-name">${xName}</div>
</div>`;
}

function bandOf({ band = [], colour }: Line, place: Place): Html | null {
  if (band.length === 0) return null;
  const upper = band.map(([x, , high]) => `${place.x(x)},${place.y(high)}`);
  const lower = band.map(([x, low]) => `${place.x(x)},${place.y(low)}`).reverse();
  return html`<path class="band c${colour}" d="M${[...upper, ...lower].join('L')}Z"/>`;
}

/** The line, and a mark at each point where there are few: a stroke of no length with round ends. */
function lineOf(line: Line, place: Place): Html {
  const finite = line.points.filter((point): point is readonly [number, number] => isNumber(point[1]));
  const marks = finite.map(([x, y]) => `M${place.x(x)},${place.y(y)}h0`).join('');
  return html`<g class="line c${line.colour}" data-line="${line.name}">${strokeOf(line, pathOf(line.points, place))}${
    finite.length <= markedPoints ? html`<path class="marks" d="${marks}"/>` : null
  }</g>`;
}

const strokeOf = ({ dashed }: Pick<Line, 'dashed'>, d: string): Html =>
  html`<path class="${dashed ? 'stroke dashed' : 'stroke'}" d="${d}"/>`;

function pathOf(points: readonly Point[], place: Place): string {
  let isPenDown = false;
  return points
    .map(([x, y]) => {
      const command = isPenDown ? 'L' : 'M';
      isPenDown = isNumber(y);
      return isNumber(y) ? `${command}${place.x(x)},${place.y(y)}` : '';
    })
    .join('');
}

/** What the page's script shows at the pointer: for each x its place, for each line its values and their places. */
function hoverData(xs: readonly number[], lines: readonly Line[], place: Place, format: (y: number) => string): string {
  return JSON.stringify({
    x: xs,
    left: xs.map(place.x),
    lines: lines.map(({ name, colour, points }) => {
      const values = new Map(points);
      const ys = xs.map((x) => values.get(x) ?? null);
      return {
        name,
        colour,
        top: ys.map((y) => (isNumber(y) ? place.y(y) : null)),
        text: ys.map((y) => (isNumber(y) ? format(y) : '')),
      };
    }),
  });
}

/** For those who cannot see the lines. */
function summary(title: string, lines: readonly Line[], format: (y: number) => string): string {
  const parts = lines.map(({ name, points }) => {
    const values = points.map(([, y]) => y).filter(isNumber);
    return `${name} from ${format(values[0] as number)} to ${format(values.at(-1) as number)}`;
  });
  return `${title}: ${parts.join('; ')}.`;
}

const isNumber = (y: number | null): y is number => y !== null && Number.isFinite(y);

// Not Math.min(...ys): there may be more values than a call takes arguments.
const lowest = (ys: readonly number[]): [number] => [ys.reduce((least, y) => Math.min(least, y), Infinity)];
const highest = (ys: readonly number[]): number => ys.reduce((most, y) => Math.max(most, y), -Infinity);

const round = (percent: number): number => Math.round(percent * 100) / 100;
