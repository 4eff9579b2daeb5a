// How the DataLoader gets its batches: host-batches.ts (bytes in memory), sample-batches.ts (transforms, image files), resident-batches.ts (on the device).
import type { Tensor } from '../tensor/tensor.js';

/** Where a batch lies. */
export interface BatchPlace {
  epoch: number;
  /** Place of its first row among those of the epoch. */
  position: number;
}

export interface BatchMaker {
  /** Begins the batch of these rows; several may be under way at once. */
  prepare(rows: Int32Array, place: BatchPlace): Promise<PreparedBatch>;
  /** Lets go of threads. No batch can be prepared after it. */
  dispose?(): Promise<void>;
}

/** A batch that is ready: to be taken or dropped, once. */
export interface PreparedBatch {
  /** Number of images: fewer than rows where broken ones were left out. */
  readonly length: number;
  /** X float32 [batch, channels, height, width], y int32 [batch]; they belong to the caller. */
  take(): [Tensor, Tensor];
  drop(): void;
}
