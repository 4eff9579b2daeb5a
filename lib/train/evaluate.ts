// Accuracy of a network on a data set.
import { pause } from '../autograd/tape.js';
import type { Device } from '../device.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Batches, checkDevice, forEachBatch, type Network } from './batches.js';
import { type BatchResult, correctCount, OneLate, readBatch, Totals } from './metrics.js';

/**
 * Fraction of the images whose largest score is at their label, from 0 to 1: the chapter's `evaluate_accuracy_gpu`. The network runs in
 * prediction mode on `device`, where its parameters must be; batches are moved there. Stops early when `signal` is aborted,
 * with the accuracy so far (NaN before the first batch).
 */
export async function evaluateAccuracy(
  iter: Batches,
  net: Network,
  device: Device,
  options: { signal?: AbortSignal } = {},
): Promise<number> {
  checkDevice('evaluateAccuracy', device);
  const totals = new Totals();
  const results = new OneLate<BatchResult>((result) => totals.add(result));
  await forEachBatch('evaluateAccuracy', iter, device, async (X, y) => {
    if (options.signal?.aborted) return false;
    const correct = predictCorrect(net, X, y);
    await results.push(readBatch(y.size, correct));
    return true;
  });
  await results.flush();
  return totals.accuracy;
}

/** How many images of a batch the network gets right: a scalar on the device. */
function predictCorrect(net: Network, X: Tensor, y: Tensor): Tensor {
  return pause(() => tidy(() => correctCount(net.forward(X), y)));
}
