// Runs of one case as figures: images per second, memory, shares of the peak, ratios.
import { median, type Outcome, type StepRun } from '../harness.js';
import { type Case, titleOf } from './cases.js';
import { ownName } from './contestants.js';

export interface Row {
  name: string;
  library: string;
  /** From the median of all rounds' steps. */
  imagesPerSecond: number;
  ofEachRound: number[];
  /** Where it is not the case's. */
  batch?: number;
  peakRssGB: number;
  peakDeviceGB?: number;
  eventLoopDelayMs?: number;
  firstStepSeconds?: number[];
  /** Arithmetic of the net (as if each convolution were computed directly), by the machine's measured peak. */
  shareOfPeak?: number;
}

export interface CaseResult extends Case {
  title: string;
  date: string;
  commit: string;
  machine: Record<string, unknown>;
  rounds: number;
  steps: number;
  gflopPerImage: number;
  /** GFLOP/s that the machine reached, in this precision; null where it was not measured. */
  peakGflops: number | null;
  rows: Row[];
  /** Peers that gave no result, and why. */
  absent: { name: string; reason: string }[];
  /** Images per second by those of the fastest PyTorch. */
  ratioToBestPyTorch: number | null;
  /** Peak memory by that of the fastest PyTorch. */
  memoryRatio: number | null;
}

export type Context = Pick<
  CaseResult,
  'date' | 'commit' | 'machine' | 'rounds' | 'steps' | 'gflopPerImage' | 'peakGflops'
>;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** The fastest PyTorch; undefined where none ran. */
export const bestPyTorch = (rows: readonly Row[]): Row | undefined =>
  rows.filter(({ name }) => name.startsWith('PyTorch')).sort((a, b) => b.imagesPerSecond - a.imagesPerSecond)[0];

export function summarise(each: Case, runs: ReadonlyMap<string, Outcome<StepRun>[]>, context: Context): CaseResult {
  const rows: Row[] = [];
  const absent: CaseResult['absent'] = [];
  for (const [name, outcomes] of runs) {
    const results = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
    const failed = outcomes.find((outcome) => 'failed' in outcome);
    if (results.length > 0) rows.push(rowOf(name, results, each.batch, context));
    else if (failed) absent.push({ name, reason: failed.failed });
  }
  const [ours, best] = [rows.find(({ name }) => name === ownName), bestPyTorch(rows)];
  const ratio = (of: (row: Row) => number): number | null => (ours && best ? round(of(ours) / of(best), 2) : null);
  return {
    ...each,
    title: titleOf(each),
    ...context,
    gflopPerImage: round(context.gflopPerImage, 4),
    rows,
    absent,
    ratioToBestPyTorch: ratio((row) => row.imagesPerSecond),
    memoryRatio: ratio((row) => row.peakRssGB),
  };
}

function rowOf(name: string, runs: readonly StepRun[], asked: number, { gflopPerImage, peakGflops }: Context): Row {
  const batch = runs[0]!.batch ?? asked;
  const speed = (seconds: readonly number[]): number => batch / median(seconds);
  const imagesPerSecond = speed(runs.flatMap((run) => run.seconds));
  const firsts = runs.flatMap(({ firstStepSeconds }) => firstStepSeconds ?? []);
  const delays = runs.flatMap(({ eventLoopDelayMs }) => eventLoopDelayMs ?? []);
  const deviceBytes = runs.flatMap(({ peakDeviceBytes }) => peakDeviceBytes ?? []);
  return {
    name,
    library: runs[0]!.library,
    imagesPerSecond: round(imagesPerSecond, imagesPerSecond < 10 ? 3 : 1),
    ofEachRound: runs.map((run) => round(speed(run.seconds), 2)),
    ...(batch !== asked && { batch }),
    peakRssGB: round(Math.max(...runs.map((run) => run.peakRssBytes)) / 1e9, 2),
    ...(deviceBytes.length > 0 && { peakDeviceGB: round(Math.max(...deviceBytes) / 1e9, 2) }),
    ...(delays.length > 0 && { eventLoopDelayMs: round(Math.max(...delays), 1) }),
    ...(firsts.length > 0 && { firstStepSeconds: firsts.map((seconds) => round(seconds, 2)) }),
    ...(peakGflops && { shareOfPeak: round((imagesPerSecond * gflopPerImage) / peakGflops, 3) }),
  };
}
