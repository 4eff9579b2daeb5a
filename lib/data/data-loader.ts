// Batches of a data set as tensors: the next ones are prepared on other threads while the current one trains.
import { currentDevice, Device } from '../device.js';
import { ConfigError, DataError, ResiduaError } from '../errors.js';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  checkPair,
  type Size2d,
} from '../options.js';
import { randomStream } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchMaker, PreparedBatch } from './batch-maker.js';
import { batchesOf, type LastBatch, type PlanOptions, planEpoch } from './batch-plan.js';
import type { Dataset } from './dataset.js';
import { HostBatches } from './host-batches.js';
import { ResidentBatches, residesByDefault } from './resident-batches.js';

export interface DataLoaderOptions {
  /** Images in a batch. */
  batchSize: number;
  /** Whether the images come in a new random order each epoch. Default false. */
  shuffle?: boolean;
  /** A last batch that is not full is kept (default), discarded, or its images come first in the next epoch. */
  lastBatch?: LastBatch;
  /** How many batches are prepared ahead of the one in use. Default 2. */
  prefetch?: number;
  /** Seed of the shuffle. Default: a stream of the global generator (see `seed`). */
  seed?: number;
  /** Bilinear resize (half-pixel centres) to this square side, or to [height, width]. Default: none. */
  resize?: Size2d;
  /** Where the batches are made. Default: the default device. */
  device?: Device;
  /**
   * Whether the data set's bytes are copied to the device once, for all loaders, and batches are made there: the same batches.
   * 'auto' (default): on a GPU, where they take less than a quarter of its free memory.
   */
  resident?: boolean | 'auto';
}

const maxElements = 2 ** 31 - 1;

/**
 * Iterates over batches [X, y] of a data set: X float32 [batch, channels, height, width], pixels divided by 255; y int32 [batch].
 * Each iteration is one epoch; several may run at once. The order depends on the seed and the epoch alone.
 * The tensors belong to the caller, who may dispose them. Throws ConfigError (options) and DataError (no images);
 * an iteration in which a batch cannot be prepared is rejected with the reason.
 */
export class DataLoader implements AsyncIterable<[Tensor, Tensor]> {
  readonly dataset: Dataset;
  readonly batchSize: number;
  readonly device: Device;
  /** [height, width] of the batches' images. */
  readonly size: readonly [height: number, width: number];
  /** Whether batches are made from the data set's bytes on the device. */
  readonly resident: boolean;
  #epoch = 0;
  readonly #plan: PlanOptions;
  readonly #prefetch: number;
  readonly #maker: BatchMaker;

  constructor(dataset: Dataset, options: DataLoaderOptions) {
    checkOptions('DataLoader()', options, [
      'batchSize',
      'shuffle',
      'lastBatch',
      'prefetch',
      'seed',
      'resize',
      'device',
      'resident',
    ]);
    const { shuffle = false, lastBatch = 'keep', prefetch = 2, device = currentDevice(), resident = 'auto' } = options;
    this.dataset = checkDataset(dataset);
    this.batchSize = checkInteger('DataLoader()', 'batchSize', options.batchSize, 1);
    checkBoolean('DataLoader()', 'shuffle', shuffle);
    checkChoice('DataLoader()', 'lastBatch', lastBatch, ['keep', 'discard', 'rollover']);
    this.#prefetch = checkNumber('DataLoader()', 'prefetch', checkInteger('DataLoader()', 'prefetch', prefetch, 0), {
      max: 64,
    });
    this.size =
      options.resize === undefined
        ? [dataset.shape[1], dataset.shape[2]]
        : checkPair('DataLoader()', 'resize', options.resize, 1);
    if (!(device instanceof Device))
      throw new ConfigError(`DataLoader() expected device to be a Device such as cpu(), got ${String(device)}.`, {
        device,
      });
    this.device = device;
    if (options.seed !== undefined) checkInteger('DataLoader()', 'seed', options.seed, 0);
    this.#plan = { count: dataset.length, batchSize: this.batchSize, lastBatch };
    if (shuffle) this.#plan.shuffle = options.seed === undefined ? randomStream() : { seed: options.seed, stream: 0 };
    this.#checkBatchElements();
    this.resident = checkResident(resident) === 'auto' ? residesByDefault(dataset, device) : resident === true;
    this.#maker = this.resident
      ? new ResidentBatches(dataset, this.size, device)
      : new HostBatches(dataset, this.size, device, prefetch + 1);
  }

  /** Number of batches of the next epoch. */
  get length(): number {
    return batchesOf(this.#epoch, this.#plan);
  }

  /** The epoch that the next iteration runs, counted from 0. Set it to go on where an earlier run stopped. */
  get epoch(): number {
    return this.#epoch;
  }

  set epoch(value: number) {
    this.#epoch = checkNumber('DataLoader', 'epoch', checkInteger('DataLoader', 'epoch', value, 0), { max: 2 ** 20 });
  }

  [Symbol.asyncIterator](): AsyncGenerator<[Tensor, Tensor], void, undefined> {
    const epoch = this.#epoch++;
    return this.#iterate(epoch, planEpoch(epoch, this.#plan));
  }

  async *#iterate(epoch: number, batches: readonly Int32Array[]): AsyncGenerator<[Tensor, Tensor], void, undefined> {
    const ahead: Promise<PreparedBatch>[] = [];
    let started = 0;
    try {
      while (started < batches.length || ahead.length > 0) {
        while (started < batches.length && ahead.length <= this.#prefetch)
          ahead.push(this.#prepare(epoch, started, batches[started++] as Int32Array));
        const batch = await (ahead.shift() as Promise<PreparedBatch>);
        yield batch.take();
      }
    } finally {
      // Left early: what is under way is waited for, because threads may still write into its memory.
      for (const result of await Promise.allSettled(ahead)) if (result.status === 'fulfilled') result.value.drop();
    }
  }

  /** Starts one batch. The promise may be rejected before anyone waits for it, which is no crash. */
  #prepare(epoch: number, batch: number, rows: Int32Array): Promise<PreparedBatch> {
    const prepared = this.#maker.prepare(rows).catch((cause: unknown) => {
      throw batchError(epoch, batch, cause);
    });
    prepared.catch(() => {});
    return prepared;
  }

  #elementsOfImage(): number {
    return this.dataset.shape[0] * this.size[0] * this.size[1];
  }

  #checkBatchElements(): void {
    const rows = this.#plan.lastBatch === 'rollover' ? this.batchSize : Math.min(this.batchSize, this.dataset.length);
    const elements = rows * this.#elementsOfImage();
    if (elements <= maxElements) return;
    throw new ConfigError(
      `DataLoader() expected a batch of at most ${maxElements} elements, got ${rows} x ${this.dataset.shape[0]} x ${this.size.join(' x ')}; use a smaller batchSize or resize.`,
      { elements, batchSize: this.batchSize, size: this.size },
    );
  }
}

function batchError(epoch: number, batch: number, cause: unknown): ResiduaError {
  if (cause instanceof ResiduaError) return cause;
  return new DataError(
    `Batch ${batch} of epoch ${epoch} cannot be prepared: ${(cause as Error).message}`,
    { epoch, batch },
    { cause },
  );
}

function checkResident(resident: unknown): boolean | 'auto' {
  if (resident === 'auto' || typeof resident === 'boolean') return resident;
  throw new ConfigError(`DataLoader() expected resident to be true, false or 'auto', got ${String(resident)}.`, {
    argument: 'resident',
    found: resident,
  });
}

function checkDataset(dataset: Dataset): Dataset {
  const { length, shape, images, labels } = dataset ?? {};
  if (!Number.isSafeInteger(length) || !Array.isArray(shape) || shape.length !== 3) {
    throw new ConfigError(
      'DataLoader() expected a data set with length, images, shape [channels, height, width] and labels; see ArrayDataset.',
    );
  }
  if (length === 0)
    throw new DataError('DataLoader() expected a data set with at least one image, got an empty one.', {
      expected: 'at least 1 image',
      found: 0,
    });
  const pixels = length * shape.reduce((n, d) => n * d, 1);
  if (images?.length !== pixels || labels?.length !== length) {
    throw new DataError(
      `DataLoader() expected ${pixels} pixels and ${length} labels for ${length} images of shape [${shape.join(', ')}], got ${images?.length} and ${labels?.length}.`,
      { expected: [pixels, length], found: [images?.length, labels?.length] },
    );
  }
  return dataset;
}
