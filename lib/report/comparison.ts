// What is said of runs beside each other: the same rows for the terminal, for programs and for a page.
import { count, duration, percent } from '../cli/format.js';
import type { ComparedEpoch, ComparedRun } from './compared-run.js';

/** A name and a value for each run. */
export type Row = readonly [name: string, values: readonly string[]];

const unknown = '-';

/** The epoch with the highest validation accuracy, the first of equal ones; undefined where none has a validation. */
export function bestEpochOf({ epochs }: ComparedRun): (ComparedEpoch & { top1: number }) | undefined {
  return epochs
    .filter((epoch): epoch is ComparedEpoch & { top1: number } => epoch.top1 !== null)
    .reduce<(ComparedEpoch & { top1: number }) | undefined>(
      (best, epoch) => (best && best.top1 >= epoch.top1 ? best : epoch),
      undefined,
    );
}

export function resultRows(runs: readonly ComparedRun[]): Row[] {
  const row = (name: string, value: (run: ComparedRun) => string | null): Row => [
    name,
    runs.map((run) => value(run) ?? unknown),
  ];
  const share = (value: number | null | undefined): string | null =>
    typeof value === 'number' ? percent(value) : null;
  const top5 = row('top 5', (run) => (hasTop5(run) ? share(bestEpochOf(run)?.top5) : null));
  return [
    row('model', ({ model }) => model),
    row('data', ({ data }) => data),
    row('epochs', epochsText),
    row('best accuracy', (run) => share(bestEpochOf(run)?.top1)),
    row('of epoch', (run) => bestEpochOf(run)?.epoch.toString() ?? null),
    row('last accuracy', ({ epochs }) => share(epochs.at(-1)?.top1)),
    ...(runs.some(hasTop5) ? [top5] : []),
    row('training loss', ({ epochs }) => epochs.at(-1)?.loss?.toFixed(4) ?? null),
    row('time', ({ seconds }) => (seconds === null ? null : duration(seconds))),
    row('images/s', ({ imagesPerSecond: speed }) => (speed === null ? null : count(Math.round(speed)))),
    row('parameters', ({ parameters }) => (parameters === null ? null : count(parameters))),
  ];
}

/** As in `run-facts.ts`. A run that was killed does not tell its classes: of five or fewer, one is always right. */
const hasTop5 = ({ classes, epochs }: ComparedRun): boolean =>
  classes === null ? epochs.some(({ top5 }) => top5 !== null && top5 < 1) : classes > 5;

function epochsText({ epochs, plannedEpochs, unfinished }: ComparedRun): string {
  const all = plannedEpochs === null || plannedEpochs === epochs.length ? '' : ` of ${plannedEpochs}`;
  return `${epochs.length}${all}${unfinished ? ' (unfinished)' : ''}`;
}

/**
 * The keys of the configs, dotted, whose values are not the same in all runs; a value that a run does not have is undefined. That a partial
 * config lacks a key is no difference.
 */
export function configDifferences(runs: readonly ComparedRun[]): Map<string, unknown[]> {
  const flat = runs.map(({ config }) => new Map(leaves(config)));
  const keys = [...new Set(flat.flatMap((config) => [...config.keys()]))];
  const rows = keys.map((key) => [key, flat.map((config) => config.get(key))] as const);
  return new Map(rows.filter(([, values]) => areDifferent(values, runs)));
}

function areDifferent(values: readonly unknown[], runs: readonly ComparedRun[]): boolean {
  const told = values.filter((value, i) => value !== undefined || !runs[i]?.hasPartialConfig);
  return new Set(told.map((value) => JSON.stringify(value))).size > 1;
}

export function configRows(runs: readonly ComparedRun[]): Row[] {
  const text = (value: unknown): string => {
    if (value === undefined) return unknown;
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  return [...configDifferences(runs)].map(([key, values]) => [key, values.map(text)] as const);
}

/** [dotted key, value] of everything in a config that is not an object itself; lists are values. */
function leaves(config: object, above = ''): [string, unknown][] {
  return Object.entries(config).flatMap(([key, value]) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? leaves(value, `${above}${key}.`) : [[`${above}${key}`, value] as [string, unknown]];
  });
}
