// Everything that evaluation tells of a classifier: loss, top-1, top-5, per-class precision and recall, confusion matrix.
import { pause } from '../autograd/tape.js';
import type { Device } from '../device.js';
import { autocast, type Precision } from '../precision.js';
import { tidy } from '../tensor/scope.js';
import { type Batches, checkDevice, forEachBatch, type Network } from './batches.js';
import { type ClassificationMetrics, ClassificationTotals } from './confusion.js';

export interface EvaluateOptions {
  /** Default 'float32'. */
  precision?: Precision;
  signal?: AbortSignal;
  /** Gets the class numbers that the net gives the images of each batch. */
  onBatch?: (predicted: readonly number[]) => void;
}

/** Evaluates in prediction mode on `device`. Stops early when `signal` is aborted, with what was seen so far. */
export async function evaluateClasses(
  iter: Batches,
  net: Network,
  device: Device,
  { precision = 'float32', signal, onBatch }: EvaluateOptions = {},
): Promise<ClassificationMetrics> {
  checkDevice('evaluateClasses', device);
  const totals = new ClassificationTotals();
  await forEachBatch('evaluateClasses', iter, device, async (X, y) => {
    if (signal?.aborted) return false;
    const scores = autocast(precision, () => pause(() => tidy(() => net.forward(X).astype('float32')))); // [n, classes]
    try {
      const predicted = totals.add(await scores.data(), await y.data());
      onBatch?.(predicted);
    } finally {
      scores.dispose();
    }
    return true;
  });
  return totals.metrics;
}
