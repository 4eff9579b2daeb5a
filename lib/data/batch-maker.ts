// How the DataLoader gets its batches: made on the host (host-batches.ts) or where the data set lies on the device (resident-batches.ts).
import type { Tensor } from '../tensor/tensor.js';

export interface BatchMaker {
  /** Begins the batch of these rows; several may be under way at once. */
  prepare(rows: Int32Array): Promise<PreparedBatch>;
}

/** A batch that is ready: to be taken or dropped, once. */
export interface PreparedBatch {
  /** X float32 [batch, channels, height, width], y int32 [batch]; they belong to the caller. */
  take(): [Tensor, Tensor];
  drop(): void;
}
