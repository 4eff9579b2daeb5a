// The files that `compare` writes: all cases of a task and a device in one, a case measured again in place of the one before.
import { existsSync, readFileSync } from 'node:fs';
import { barChart } from '../charts/bars.js';
import { resultFile, writeText } from '../harness.js';
import { tasks } from '../make-step.js';
import { familyModels, keyOf, usualModels } from './cases.js';
import type { CaseResult } from './summary.js';

export interface CompareFile {
  cases: CaseResult[];
}

/** Cases of a file; none where there is no file. */
export function readCases(file: string): CaseResult[] {
  if (!existsSync(file)) return [];
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as CompareFile;
  if (!Array.isArray(cases)) throw new Error(`Expected ${file} to hold 'cases'. Remove it and measure again.`);
  return cases;
}

/** The cases of before with the new ones among them, sorted as a table has them. */
export function merged(before: readonly CaseResult[], now: readonly CaseResult[]): CaseResult[] {
  const all = new Map([...before, ...now].map((each) => [keyOf(each), each]));
  const order = [...usualModels, ...familyModels];
  const place = ({ model }: CaseResult): number => (order.includes(model) ? order.indexOf(model) : order.length);
  return [...all.values()].sort(
    (a, b) =>
      place(a) - place(b) ||
      a.model.localeCompare(b.model) ||
      b.threads - a.threads ||
      b.batch - a.batch ||
      b.precision.localeCompare(a.precision),
  );
}

/** Writes <prefix><task>-<device>.json and .svg into bench/results, or everything into one other file. */
export function writeCases(results: readonly CaseResult[], device: string, other: string, prefix = ''): void {
  if (other) {
    writeFileWithChart(other, results, device);
    return;
  }
  for (const task of tasks) {
    const now = results.filter((each) => each.task === task);
    if (now.length === 0) continue;
    const file = resultFile(`${prefix}${task}-${device}`);
    writeFileWithChart(file, merged(readCases(file), now), device);
  }
}

function writeFileWithChart(file: string, cases: readonly CaseResult[], device: string): void {
  writeText(file, `${JSON.stringify({ cases } satisfies { cases: readonly CaseResult[] }, null, 2)}\n`);
  const chart = barChart(`residua and PyTorch, images per second, ${device.toUpperCase()}`, cases);
  writeText(file.replace(/(\.json)?$/, '.svg'), chart);
}
