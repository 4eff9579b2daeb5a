// Reads metrics.jsonl: the steps of a run, and what was not right in them.
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { FitBatch, FitEpoch, FitNumericProblem } from '../train/index.js';

/** JSON has no NaN and no infinity: they are null. */
export type StepLine = Omit<FitBatch, 'stepLoss' | 'loss'> & { stepLoss: number | null; loss: number | null };
/** The loss as text: 'NaN', 'Infinity', '-Infinity'. Earlier versions did not write the batch. */
export type ProblemLine = Omit<FitNumericProblem, 'loss' | 'batch'> & { loss: string; batch?: number };

export interface Metrics {
  steps: StepLine[];
  epochs: FitEpoch[];
  problems: ProblemLine[];
}

/** All lines of the file; nothing where it is missing. What is no whole line, as a killed process may leave one, is left out. */
export async function readMetrics(file: string): Promise<Metrics> {
  const metrics: Metrics = { steps: [], epochs: [], problems: [] };
  if (!existsSync(file)) return metrics;
  for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    const line = parse(text);
    if (line?.event === 'step') metrics.steps.push(line as unknown as StepLine);
    else if (line?.event === 'epoch') metrics.epochs.push(line as unknown as FitEpoch);
    else if (line?.event === 'numericProblem') metrics.problems.push(line as unknown as ProblemLine);
  }
  return metrics;
}

function parse(text: string): { event?: string } | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Training images a second by epoch, validation not counted. A process that resumed the run counts its seconds from 0; where not every
 * step has a line, those between two lines are taken to have as many images as the later one.
 */
export function speeds(steps: readonly StepLine[]): Map<number, number> {
  const totals = new Map<number, { images: number; seconds: number }>();
  let before: StepLine | undefined;
  for (const line of steps) {
    const isNext = before?.epoch === line.epoch && line.seconds > before.seconds;
    const total = totals.get(line.epoch) ?? { images: 0, seconds: 0 };
    total.seconds += isNext ? line.seconds - (before as StepLine).seconds : line.seconds;
    total.images += line.images * Math.max(1, line.step - (before?.step ?? 0));
    totals.set(line.epoch, total);
    before = line;
  }
  return new Map([...totals].map(([epoch, { images, seconds }]) => [epoch, images / seconds]));
}

/** Over epochs of equal length: all images by all seconds. Null of none. */
export function meanSpeed(perEpoch: readonly number[]): number | null {
  if (perEpoch.length === 0) return null;
  return perEpoch.length / perEpoch.reduce((sum, speed) => sum + 1 / speed, 0);
}

/** Some steps after each other as one: their last step, the mean of their finite losses, the lowest and the highest. */
export interface StepGroup {
  step: number;
  /** Null where no loss was finite. */
  loss: number | null;
  low: number;
  high: number;
  learningRate: number;
}

/** The steps in at most `most` groups of equal numbers. */
export function thinned(steps: readonly StepLine[], most = 1000): StepGroup[] {
  const size = Math.max(1, Math.ceil(steps.length / most));
  return Array.from({ length: Math.ceil(steps.length / size) }, (_, i) =>
    groupOf(steps.slice(i * size, (i + 1) * size)),
  );
}

function groupOf(steps: readonly StepLine[]): StepGroup {
  const { step, learningRate } = steps.at(-1) as StepLine;
  const losses = steps
    .map(({ stepLoss }) => stepLoss)
    .filter((loss) => loss !== null && Number.isFinite(loss)) as number[];
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return {
    step,
    learningRate,
    loss: losses.length > 0 ? mean : null,
    low: Math.min(...losses),
    high: Math.max(...losses),
  };
}
