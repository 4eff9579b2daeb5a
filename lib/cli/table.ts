// Plain text tables for the terminal.
import { columnsOf, cut, wrapped } from './terminal.js';

const gap = 2;
/** Names are not cut shorter than this. */
const leastNames = 20;

/**
 * Rows with columns of equal width: the first is left-aligned, the others right-aligned. Where they are wider than `width` (default: the
 * terminal), names in the first column are cut, or, where that is not enough, the last columns follow in a table below.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width = columnsOf(process.stdout),
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const [names = 0, ...others] = widths;
  const room = width - others.reduce((sum, each) => sum + gap + each, 0);
  const first = room >= leastNames ? Math.min(names, room) : names;
  return blocks(others, width - first)
    .map((columns) => oneTable(all, [first, ...columns.map((column) => others[column] as number)], columns))
    .join('\n\n');
}

/** Columns, by number from 0, that have room beside each other; at least one in each block. */
function blocks(widths: readonly number[], room: number): number[][] {
  const found: number[][] = [[]];
  let used = 0;
  widths.forEach((width, column) => {
    const block = found.at(-1) as number[];
    used += gap + width;
    if (used <= room || block.length === 0) block.push(column);
    else {
      found.push([column]);
      used = gap + width;
    }
  });
  return found;
}

/** The first column and those of these numbers, counted from the second. */
function oneTable(rows: readonly (readonly string[])[], widths: readonly number[], columns: readonly number[]): string {
  const line = (row: readonly string[]): string =>
    widths
      .map((width, i) => {
        if (i === 0) return cut(row[0] ?? '', width).padEnd(width);
        return (row[(columns[i - 1] as number) + 1] ?? '').padStart(width);
      })
      .join(' '.repeat(gap))
      .trimEnd();
  const [header = [], ...others] = rows;
  return [line(header), widths.map((width) => '-'.repeat(width)).join(' '.repeat(gap)), ...others.map(line)].join('\n');
}

/** Names and values below each other, indented; a value that is longer than `width` (default: the terminal) goes on below its beginning. */
export function facts(
  entries: readonly (readonly [string, string])[],
  indent = '  ',
  width = columnsOf(process.stdout),
): string {
  const names = Math.max(0, ...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => {
      const before = `${indent}${name.padEnd(names)}  `;
      return wrapped(before + value, width, ' '.repeat(before.length));
    })
    .join('\n');
}
