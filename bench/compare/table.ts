// A case's figures as a table on the screen.
import type { CaseResult, Row } from './summary.js';

const columns: readonly (readonly [string, (row: Row, result: CaseResult) => string])[] = [
  ['', ({ name, batch }) => (batch === undefined ? name : `${name}, batch ${batch}`)],
  ['images/s', ({ imagesPerSecond }) => String(imagesPerSecond)],
  ['of peak', ({ shareOfPeak }) => (shareOfPeak === undefined ? '' : `${(shareOfPeak * 100).toFixed(0)}%`)],
  ['memory', ({ peakRssGB }) => `${peakRssGB.toFixed(2)} GB`],
  ['first step', ({ firstStepSeconds }) => (firstStepSeconds ? `${Math.min(...firstStepSeconds)} s` : '')],
  ['timer late', ({ eventLoopDelayMs }) => (eventLoopDelayMs === undefined ? '' : `${eventLoopDelayMs} ms`)],
];

export function tableOf(result: CaseResult): string {
  const cells = [
    columns.map(([head]) => head),
    ...result.rows.map((row) => columns.map(([, text]) => text(row, result))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const lines = cells.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
  const absent = result.absent.map(({ name, reason }) => `${name}: none, ${reason.split('\n')[0]}`);
  const { ratioToBestPyTorch: ratio, memoryRatio } = result;
  const ratios = ratio === null ? [] : [`residua against PyTorch's best: ${ratio}x, in ${memoryRatio} of its memory`];
  return [result.title, ...[...lines, ...absent, ...ratios].map((line) => `  ${line.trimEnd()}`)].join('\n');
}
