// The README's table of measurements, from the result files.
import { bestPyTorch, type CaseResult } from '../compare/summary.js';
import { modelOf } from '../models.js';

export const [begin, end] = ['<!-- measured: begin -->', '<!-- measured: end -->'];

/** The cases that the README shows: those with 2 threads that were compared with PyTorch. */
export function measuredTable(cases: readonly CaseResult[]): string {
  const rows = cases.flatMap((each) => {
    const [ours, peer] = [each.rows.find(({ name }) => name === 'residua'), bestPyTorch(each.rows)];
    if (!ours || !peer || each.threads !== 2) return [];
    return [
      [
        nameOf(each),
        whole(ours.imagesPerSecond),
        whole(peer.imagesPerSecond),
        (each.ratioToBestPyTorch ?? 0).toFixed(2),
        `${ours.peakRssGB.toFixed(1)} GB of ${peer.peakRssGB.toFixed(1)} GB`,
        ours.shareOfPeak === undefined ? '' : `${Math.round(ours.shareOfPeak * 100)}%`,
      ],
    ];
  });
  const hasShares = rows.some((row) => row[5] !== '');
  const head = ['images/s', 'residua', 'PyTorch', 'ratio', 'peak memory', 'of peak speed'];
  const all = [head, ...rows].map((row) => row.slice(0, hasShares ? 6 : 5));
  return markdownTable(all, [1, 2, 3, 5]);
}

/** Rows of equal length, the first of them the heads; `right`: the columns of numbers. */
export function markdownTable(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const [head = [], ...others] = rows;
  const widths = head.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const isRight = (i: number): boolean => right.includes(i);
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (isRight(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = head.map((_, i) => (isRight(i) ? `${'-'.repeat(widths[i]! - 1)}:` : '-'.repeat(widths[i]!)));
  return [line(head), `| ${rule.join(' | ')} |`, ...others.map(line)].join('\n');
}

/** The page with `table` between its two marker comments. Throws where these are missing. */
export function withTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Expected the page to hold ${begin} and after it ${end}.`);
  return `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`;
}

const whole = (value: number): string => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US'));

/** "R18 at 96x96, training, bf16": the batch where it is not 256. */
function nameOf({ model, task, batch, precision }: CaseResult): string {
  const parts = [modelOf(model).title, task];
  if (batch !== 256) parts.push(`batch ${batch}`);
  if (precision === 'bfloat16') parts.push('bf16');
  return parts.join(', ');
}
