// Images per second as grouped bars: one group a case, one bar a library, as long as its ratio to PyTorch's best.
import { at, colours, element, picture, text } from '../../lib/train/report/svg.js';
import { ownName } from '../compare/contestants.js';
import { bestPyTorch, type CaseResult, type Row } from '../compare/summary.js';

const [width, nameWidth, barHeight, gap, groupGap, top] = [960, 350, 17, 4, 22, 58];
const longest = 330; // pixels of the longest bar; its label comes behind it, '12,345 images/s, 10.25x, 129% of peak'

const colourOf = ({ name }: Row): string =>
  name === ownName ? colours.run : name.startsWith('PyTorch') ? colours.published : colours.muted;

/** Cases without any result have no bars. */
export function barChart(title: string, cases: readonly CaseResult[]): string {
  const shown = cases.filter(({ rows }) => rows.length > 0);
  const ratios = shown.flatMap((each) => each.rows.map((row) => relative(row, each)));
  const scale = longest / Math.max(1, ...ratios);
  let y = top;
  const groups = shown.map((each) => {
    const group = at(0, y, groupOf(each, scale));
    y += heightOf(each);
    return group;
  });
  const one = nameWidth + scale; // where PyTorch's best ends
  const rule = element('line', {
    x1: one,
    x2: one,
    y1: top - 6,
    y2: y - groupGap,
    stroke: colours.muted,
    'stroke-dasharray': '3 3',
  });
  return picture(
    { width, height: y + 6 },
    text(16, 26, title, { 'font-size': 17, 'font-weight': 600 }),
    text(16, 45, 'Bars: relative to the fastest PyTorch of the same precision, the dashed line', {
      fill: colours.muted,
    }),
    ...(shown.some((each) => bestPyTorch(each.rows)) ? [rule] : []),
    ...groups,
  );
}

const heightOf = ({ rows }: CaseResult): number => 22 + rows.length * (barHeight + gap) + groupGap;

/** 1: as fast as PyTorch's best; where that is missing, as the fastest there is. */
function relative(row: Row, { rows }: CaseResult): number {
  const reference = bestPyTorch(rows)?.imagesPerSecond ?? Math.max(...rows.map((each) => each.imagesPerSecond));
  return row.imagesPerSecond / reference;
}

function groupOf(each: CaseResult, scale: number): string {
  const bars = each.rows.map((row, i) => {
    const [y, length] = [22 + i * (barHeight + gap), Math.max(1, relative(row, each) * scale)];
    return [
      text(nameWidth - 10, y + 13, row.name, { 'text-anchor': 'end', 'font-size': 12, fill: colours.muted }),
      element('rect', { x: nameWidth, y, width: Number(length.toFixed(1)), height: barHeight, fill: colourOf(row) }),
      text(nameWidth + length + 7, y + 13, labelOf(row, each), {
        'font-size': 12,
        stroke: colours.paper, // over the dashed line
        'stroke-width': 3,
        'paint-order': 'stroke',
        'font-weight': row.name === ownName ? 600 : 400,
      }),
    ].join('');
  });
  return text(16, 14, each.title, { 'font-weight': 600 }) + bars.join('');
}

/** "303 images/s, 1.53x, 71% of peak" */
function labelOf(row: Row, each: CaseResult): string {
  const { imagesPerSecond: speed, shareOfPeak } = row;
  const ratio = row.name === ownName ? each.ratioToBestPyTorch : null;
  return [
    `${speed < 10 ? speed.toFixed(1) : Math.round(speed).toLocaleString('en-US')} images/s`,
    ...(ratio === null ? [] : [`${ratio.toFixed(2)}x`]),
    ...(shareOfPeak === undefined ? [] : [`${Math.round(shareOfPeak * 100)}% of peak`]),
  ].join(', ');
}
