// The names of lines in the charts of a comparison.
import type { ComparedEpoch, ComparedRun } from './compared-run.js';

export type EpochValue = (epoch: ComparedEpoch) => number | null;

/** The name of run number `i`, and of an earlier run whose line it covers: their values are the same as far as both go. */
export function lineName(runs: readonly ComparedRun[], i: number, value: EpochValue): string {
  const run = runs[i] as ComparedRun;
  const covered = runs.slice(0, i).find((earlier) => areSame(earlier, run, value));
  return covered ? `${run.name} (same as ${covered.name})` : run.name;
}

function areSame(a: ComparedRun, b: ComparedRun, value: EpochValue): boolean {
  const valuesOfA = new Map(a.epochs.map((epoch) => [epoch.epoch, value(epoch)]));
  const shared = b.epochs.filter(({ epoch }) => valuesOfA.has(epoch));
  const isDrawn = shared.some((epoch) => value(epoch) !== null);
  return isDrawn && shared.every((epoch) => Object.is(value(epoch), valuesOfA.get(epoch.epoch)));
}
