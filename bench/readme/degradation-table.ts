// The table of docs/residual.md: errors of plain and residual nets, from what `degradation` writes.
import type { Curve } from '../charts/degradation.js';
import { markdownTable } from './table.js';

export interface DegradationResult {
  date: string;
  device: string;
  precision: string;
  /** For training and for testing. */
  images: readonly number[];
  epochs: number;
  batch: number;
  learningRate: number;
  seed: number;
  curves: readonly Curve[];
}

const names = { plain: 'plain', v1: 'residual, v1', v2: 'residual, v2' } as const;

/** How the nets were trained, and the errors after the last epoch. */
export function degradationTable(result: DegradationResult): string {
  const { date, device, precision, images, epochs, batch, learningRate, seed, curves } = result;
  const [train = 0, test = 0] = images;
  const percent = (errors: readonly number[]): string => `${(100 * (errors.at(-1) ?? Number.NaN)).toFixed(2)}%`;
  const rows = curves.map(({ kind, depth, trainError, testError }) => [
    names[kind],
    String(depth),
    percent(trainError),
    percent(testError),
  ]);
  const told =
    `${count(train)} training and ${count(test)} test images, ${epochs} epochs in batches of ${batch}, learning rate ${learningRate}, ` +
    `seed ${seed}, ${precision}, on ${device}, ${date}. Errors after the last epoch:`;
  return `${told}\n\n${markdownTable([['net', 'layers', 'training error', 'test error'], ...rows], [1, 2, 3])}`;
}

const count = (n: number): string => n.toLocaleString('en-US');
