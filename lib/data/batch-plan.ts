// Which rows of a data set make up which batch of an epoch: a function of the epoch's number alone.
import { native } from '../native.js';
import { balancedOrder } from './balanced-order.js';

/** What happens to images that do not fill a last batch: a smaller batch, left out, first in the next epoch. */
export type LastBatch = 'keep' | 'discard' | 'rollover';

export interface PlanOptions {
  /** Number of images. */
  count: number;
  batchSize: number;
  lastBatch: LastBatch;
  /** The generator's stream from which the epochs' streams derive; undefined: rows in order. */
  shuffle?: { seed: number; stream: number };
  /** Class numbers of the rows, where each class is to come equally often in a shuffled epoch. */
  balance?: ArrayLike<number>;
}

// Streams of epochs lie 2^32 apart: the global generator, which counts up from 0, does not come near them.
const epochStride = 2 ** 32;

/** Rows of one epoch as a range of the endless row of epochs [0, n), [n, 2n), ...: for rollover it starts with the rest of earlier ones. */
function rangeOf(epoch: number, { count, batchSize, lastBatch }: PlanOptions): { start: number; end: number } {
  const start = epoch * count;
  const end = start + count;
  if (lastBatch === 'keep') return { start, end };
  if (lastBatch === 'discard') return { start, end: end - (count % batchSize) };
  return { start: start - (start % batchSize), end: end - (end % batchSize) };
}

/** Number of batches in an epoch. */
export function batchesOf(epoch: number, options: PlanOptions): number {
  const { start, end } = rangeOf(epoch, options);
  return Math.ceil((end - start) / options.batchSize);
}

/** The rows of each batch of an epoch. */
export function planEpoch(epoch: number, options: PlanOptions): Int32Array[] {
  const { start, end } = rangeOf(epoch, options);
  const rows = new Int32Array(end - start);
  for (let at = start; at < end; ) {
    const source = Math.floor(at / options.count);
    const first = at - source * options.count;
    const last = Math.min(options.count, end - source * options.count);
    rows.set(orderOf(source, options).subarray(first, last), at - start);
    at += last - first;
  }
  return Array.from({ length: batchesOf(epoch, options) }, (_, i) =>
    rows.subarray(i * options.batchSize, (i + 1) * options.batchSize),
  );
}

/** All rows in the order of an epoch. */
function orderOf(epoch: number, { count, shuffle, balance }: PlanOptions): Int32Array {
  if (!shuffle) return Int32Array.from({ length: count }, (_, i) => i);
  if (balance) return balancedOrder(balance, shuffle, epoch);
  return native().randomPermutation(count, shuffle.seed, shuffle.stream + (epoch + 1) * epochStride);
}
