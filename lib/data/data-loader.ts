// Batches of a data set as tensors: the next ones are prepared on other threads while the current one trains.
import type { Device } from '../device.js';
import { DataError, ResiduaError } from '../errors.js';
import { checkInteger, checkNumber } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchMaker, PreparedBatch } from './batch-maker.js';
import { batchesOf, planEpoch } from './batch-plan.js';
import type { Dataset } from './dataset.js';
import { BatchFinisher } from './finish-batch.js';
import { HostBatches } from './host-batches.js';
import { ImageFiles } from './image-files.js';
import { type DataLoaderOptions, type LoaderDataset, type LoaderPlan, planLoader } from './loader-options.js';
import { ResidentBatches } from './resident-batches.js';
import { SampleBatches } from './sample-batches.js';

/**
 * Iterates over batches [X, y] of a data set: X float32 [batch, channels, height, width], pixels divided by 255, normalised where a
 * transform says so; y int32 [batch]. Each iteration is one epoch; several may run at once. The order and the transforms depend on the
 * seed and the epoch alone. Broken image files are left out of their batch, or end the iteration, as their data set says.
 * The tensors belong to the caller, who may dispose them. Throws ConfigError (options) and DataError (no images);
 * an iteration in which a batch cannot be prepared is rejected with the reason.
 */
export class DataLoader<D extends LoaderDataset = Dataset> implements AsyncIterable<[Tensor, Tensor]> {
  readonly dataset: D;
  readonly batchSize: number;
  readonly device: Device;
  /** [height, width] of the batches' images. */
  readonly size: readonly [height: number, width: number];
  /** Whether batches are made from the data set's bytes on the device. */
  readonly resident: boolean;
  #epoch = 0;
  #place = 0;
  readonly #plan: LoaderPlan;
  readonly #maker: BatchMaker;

  constructor(dataset: D, options: DataLoaderOptions) {
    this.#plan = planLoader(dataset, options);
    this.dataset = dataset;
    this.batchSize = this.#plan.batchSize;
    this.device = this.#plan.device;
    this.size = this.#plan.size;
    this.resident = this.#plan.resident;
    this.#maker = makerOf(dataset, this.#plan);
  }

  /** Number of batches of the next epoch. */
  get length(): number {
    return batchesOf(this.#epoch, this.#plan.rows);
  }

  /** The epoch that the next iteration runs, counted from 0. Set it to go on where an earlier run stopped. */
  get epoch(): number {
    return this.#epoch;
  }

  set epoch(value: number) {
    this.#epoch = checkNumber('DataLoader', 'epoch', checkInteger('DataLoader', 'epoch', value, 0), { max: 2 ** 20 });
  }

  /** Where the order and the transforms take their random numbers from: loaders alike in this give the same batches. */
  get random(): { readonly seed: number; readonly stream: number } {
    return this.#plan.random;
  }

  /** What the batches' images are normalised by after the division by 255, one value a channel or one for all; null: by nothing. */
  get normalization(): { readonly mean: readonly number[]; readonly std: readonly number[] } | null {
    return this.#plan.transforms.normalisation ?? null;
  }

  /**
   * The batch after the one that was given last, counted from 0: where `from` goes on. Batches of broken files alone are passed over, so it
   * may be further on than the number of those given.
   */
  get place(): number {
    return this.#place;
  }

  [Symbol.asyncIterator](): AsyncGenerator<[Tensor, Tensor], void, undefined> {
    return this.from(0);
  }

  /** Row numbers of the data set in the order of the next epoch's batches; those of broken images are among them. */
  get order(): Int32Array {
    return Int32Array.from(planEpoch(this.#epoch, this.#plan.rows).flatMap((rows) => [...rows]));
  }

  /** The next epoch from this batch on, counted from 0: to go on in the middle of an epoch, with the same batches. */
  from(batch: number): AsyncGenerator<[Tensor, Tensor], void, undefined> {
    checkInteger('DataLoader.from()', 'batch', batch, 0);
    const epoch = this.#epoch++;
    return this.#iterate(epoch, planEpoch(epoch, this.#plan.rows), batch);
  }

  /** Ends the worker threads, where there are any. Iterations that go on are rejected. */
  async dispose(): Promise<void> {
    await this.#maker.dispose?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async *#iterate(
    epoch: number,
    batches: readonly Int32Array[],
    first: number,
  ): AsyncGenerator<[Tensor, Tensor], void, undefined> {
    const ahead: Promise<PreparedBatch>[] = [];
    let started = first;
    let images = 0;
    try {
      while (started < batches.length || ahead.length > 0) {
        while (started < batches.length && ahead.length <= this.#plan.prefetch)
          ahead.push(this.#prepare(epoch, started, batches[started++] as Int32Array));
        const batch = await (ahead.shift() as Promise<PreparedBatch>);
        images += batch.length;
        this.#place = started - ahead.length;
        if (batch.length > 0) yield batch.take();
        else batch.drop();
      }
      if (images === 0 && first === 0 && batches.length > 0) throw nothingLeft(epoch, this.dataset.length);
    } finally {
      // Left early: what is under way is waited for, because threads may still write into its memory.
      for (const result of await Promise.allSettled(ahead)) if (result.status === 'fulfilled') result.value.drop();
    }
  }

  /** Starts one batch. The promise may be rejected before anyone waits for it, which is no crash. */
  #prepare(epoch: number, batch: number, rows: Int32Array): Promise<PreparedBatch> {
    const place = { epoch, position: batch * this.batchSize };
    const prepared = this.#maker.prepare(rows, place).catch((cause: unknown) => {
      throw batchError(epoch, batch, cause);
    });
    prepared.catch(() => {});
    return prepared;
  }
}

/** How the batches of this data set are made. */
function makerOf(dataset: LoaderDataset, plan: LoaderPlan): BatchMaker {
  const { device, size, channels, transforms, random, workers } = plan;
  const finisher = new BatchFinisher(size, device, transforms.normalisation);
  if (!(dataset instanceof ImageFiles)) {
    if (plan.resident) return new ResidentBatches(dataset, device, finisher);
    const plain = transforms.host.length === 0 && !transforms.normalisation;
    if (plain) return new HostBatches(dataset, size, device, plan.prefetch + 1);
  }
  return new SampleBatches({
    dataset,
    transforms: transforms.host,
    channels,
    size: transforms.size,
    random,
    workers: dataset instanceof ImageFiles || transforms.host.length > 0 ? workers : 0,
    device,
    finisher,
  });
}

function batchError(epoch: number, batch: number, cause: unknown): ResiduaError {
  if (cause instanceof ResiduaError) return cause;
  return new DataError(
    `Batch ${batch} of epoch ${epoch} cannot be prepared: ${(cause as Error).message}`,
    { epoch, batch },
    { cause },
  );
}

function nothingLeft(epoch: number, count: number): DataError {
  return new DataError(`Epoch ${epoch} has no images: none of the ${count} files could be decoded.`, {
    epoch,
    expected: 'at least 1 image',
    found: 0,
  });
}
