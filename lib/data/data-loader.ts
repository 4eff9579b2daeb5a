// Batches of a data set as tensors: the next ones are prepared on other threads while the current one trains.
import { currentDevice, Device } from '../device.js';
import { ConfigError, DataError, OutOfMemoryError, ResiduaError } from '../errors.js';
import { native } from '../native.js';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  checkPair,
  type Size2d,
} from '../options.js';
import { fromHost } from '../tensor/create.js';
import { randomStream } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { batchesOf, type LastBatch, type PlanOptions, planEpoch } from './batch-plan.js';
import type { Dataset } from './dataset.js';

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
}

/** Host memory for one batch. Reused: touching fresh memory costs more than filling it. */
interface Buffer {
  images: Float32Array;
  labels: Int32Array;
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
  #epoch = 0;
  readonly #plan: PlanOptions;
  readonly #prefetch: number;
  readonly #free: Buffer[] = [];

  constructor(dataset: Dataset, options: DataLoaderOptions) {
    checkOptions('DataLoader()', options, [
      'batchSize',
      'shuffle',
      'lastBatch',
      'prefetch',
      'seed',
      'resize',
      'device',
    ]);
    const { shuffle = false, lastBatch = 'keep', prefetch = 2, device = currentDevice() } = options;
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
    const ahead: Promise<Buffer>[] = [];
    let started = 0;
    try {
      for (const rows of batches) {
        while (started < batches.length && ahead.length <= this.#prefetch)
          ahead.push(this.#prepare(epoch, started, batches[started++] as Int32Array));
        const buffer = await (ahead.shift() as Promise<Buffer>);
        yield this.#toTensors(buffer, rows.length);
      }
    } finally {
      // Left early: the threads still write into these buffers, so they are free only when the work is done.
      for (const result of await Promise.allSettled(ahead))
        if (result.status === 'fulfilled') this.#release(result.value);
    }
  }

  /** Starts one batch. The promise may be rejected before anyone waits for it, which is no crash. */
  #prepare(epoch: number, batch: number, rows: Int32Array): Promise<Buffer> {
    const buffer = this.#fill(rows).catch((cause: unknown) => {
      throw batchError(epoch, batch, cause);
    });
    buffer.catch(() => {});
    return buffer;
  }

  async #fill(indices: Int32Array): Promise<Buffer> {
    const [channels, height, width] = this.dataset.shape;
    const [outHeight, outWidth] = this.size;
    const buffer = this.#buffer(indices.length);
    try {
      await native().prepareBatch({
        images: this.dataset.images,
        labels: this.dataset.labels,
        channels,
        height,
        width,
        indices,
        outHeight,
        outWidth,
        scale: 1 / 255,
        outImages: buffer.images.subarray(0, indices.length * channels * outHeight * outWidth),
        outLabels: buffer.labels.subarray(0, indices.length),
      });
    } catch (error) {
      this.#release(buffer);
      throw error;
    }
    return buffer;
  }

  /** Copies a prepared batch to the device and gives its buffer back. */
  #toTensors(buffer: Buffer, rows: number): [Tensor, Tensor] {
    const shape = [rows, this.dataset.shape[0], ...this.size];
    const elements = shape.reduce((n, d) => n * d, 1);
    try {
      const x = fromHost(buffer.images.subarray(0, elements), shape, 'float32', this.device);
      return [x, fromHost(buffer.labels.subarray(0, rows), [rows], 'int32', this.device)];
    } finally {
      this.#release(buffer);
    }
  }

  /** A free buffer with room for so many images, or a new one. */
  #buffer(rows: number): Buffer {
    const fits = this.#free.findIndex((buffer) => buffer.labels.length >= rows);
    if (fits >= 0) return this.#free.splice(fits, 1)[0] as Buffer;
    const elements = rows * this.#elementsOfImage();
    try {
      return { images: new Float32Array(elements), labels: new Int32Array(rows) };
    } catch (cause) {
      throw new OutOfMemoryError(
        `A batch needs ${elements * 4} bytes of memory, which cannot be had; a smaller batchSize or resize would help.`,
        { bytesAsked: elements * 4 },
        { cause },
      );
    }
  }

  #release(buffer: Buffer): void {
    if (this.#free.length <= this.#prefetch) this.#free.push(buffer);
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
