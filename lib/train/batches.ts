// Batches on their way through training and evaluation: moved to the device, freed after use.
import { Device } from '../device.js';
import { ConfigError, DataError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/** One batch: X [batch, ...] and its labels y, int32 [batch]. */
export type Batch = readonly [X: Tensor, y: Tensor];

/**
 * Batches to go through: a DataLoader, an async generator or an array. Batches of an async iterable are made on the way and are
 * disposed after use; those of a plain iterable stay the caller's.
 */
export type Batches = (AsyncIterable<Batch> | Iterable<Batch>) & { readonly length?: number };

/** What training and evaluation need of a network. */
export interface Network {
  forward(...inputs: Tensor[]): Tensor;
}

export function checkDevice(where: string, device: unknown): void {
  if (!(device instanceof Device))
    throw new ConfigError(`${where}() expected a Device such as cpu(), got ${String(device)}.`, { device });
}

/** Calls `use` with each batch on the device, until it returns false. Throws DataError where there is no batch at all, unless `mayBeNone`. */
export async function forEachBatch(
  where: string,
  batches: Batches,
  device: Device,
  use: (X: Tensor, y: Tensor) => Promise<boolean>,
  mayBeNone = false,
): Promise<void> {
  const isOwned = Symbol.asyncIterator in batches;
  let count = 0;
  for await (const batch of batches) {
    count += 1;
    const moved: Tensor[] = [];
    try {
      for (const tensor of batch) moved.push(tensor.to(device));
      if (!(await use(moved[0] as Tensor, moved[1] as Tensor))) return;
    } finally {
      for (const tensor of moved) if (isOwned || !batch.includes(tensor)) tensor.dispose();
      if (isOwned) for (const tensor of batch) tensor.dispose();
    }
  }
  if (count === 0 && !mayBeNone)
    throw new DataError(`${where}() expected at least one batch, got none.`, {
      expected: 'at least 1 batch',
      found: 0,
    });
}
