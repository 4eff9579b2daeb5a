// Batches of transformed images: made on worker threads or on this one, copied to the device as bytes, finished there.
import type { Device } from '../device.js';
import { DataError, OutOfMemoryError } from '../errors.js';
import { fromHost } from '../tensor/create.js';
import { tidy, untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchMaker, BatchPlace, PreparedBatch } from './batch-maker.js';
import type { Dataset } from './dataset.js';
import type { BatchFinisher } from './finish-batch.js';
import { ImageFiles } from './image-files.js';
import { type BrokenSample, makeSamples, type SampleJob } from './sample.js';
import type { Size, Transform } from './transforms/transform.js';
import { WorkerPool } from './worker-pool.js';

export interface SampleBatchesOptions {
  dataset: Dataset | ImageFiles;
  transforms: readonly Transform[];
  channels: number;
  /** Size of the images after the transforms. */
  size: Size;
  /** Where the samples' random numbers come from. */
  random: { seed: number; stream: number };
  workers: number;
  device: Device;
  finisher: BatchFinisher;
}

export class SampleBatches implements BatchMaker {
  readonly #options: SampleBatchesOptions;
  readonly #pool: WorkerPool | undefined;
  /** Memory of earlier batches, for later ones. */
  readonly #free: Uint8Array[] = [];

  constructor(options: SampleBatchesOptions) {
    this.#options = options;
    if (options.workers > 0) {
      this.#pool = new WorkerPool(options.workers);
      forgotten.register(this, this.#pool);
    }
  }

  async prepare(rows: Int32Array, place: BatchPlace): Promise<PreparedBatch> {
    const pixels = this.#room(rows.length * this.#imageBytes); // [rows, channels, height, width]
    const jobs = this.#jobs(rows, place, pixels);
    const made = await Promise.allSettled(jobs.map((job) => (this.#pool ? this.#pool.run(job) : makeSamples(job))));
    const labels = Int32Array.from(rows, (row) => this.#options.dataset.labels[row] as number);
    const broken: BrokenSample[] = [];
    for (const [i, result] of made.entries()) {
      if (result.status === 'rejected') throw result.reason;
      const before = (jobs[i] as SampleJob).position - place.position;
      broken.push(...result.value.map((sample) => ({ ...sample, index: before + sample.index })));
    }
    const length = this.#leaveOut(broken, pixels, labels);
    return {
      length,
      take: () => {
        try {
          return this.#toDevice(pixels, labels, length);
        } finally {
          this.#free.push(pixels);
        }
      },
      drop: () => {
        this.#free.push(pixels);
      },
    };
  }

  dispose(): Promise<void> {
    return this.#pool?.dispose() ?? Promise.resolve();
  }

  get #imageBytes(): number {
    return this.#options.channels * this.#options.size[0] * this.#options.size[1];
  }

  /** The batch in as many pieces as there are workers. */
  #jobs(rows: Int32Array, { epoch, position }: BatchPlace, pixels: Uint8Array): SampleJob[] {
    const { transforms, channels, size, random } = this.#options;
    const length = Math.ceil(rows.length / (this.#pool?.count ?? 1));
    const jobs: SampleJob[] = [];
    for (let first = 0; first < rows.length; first += length) {
      const part = rows.subarray(first, first + length);
      const out = pixels.subarray(first * this.#imageBytes, (first + part.length) * this.#imageBytes);
      const source = this.#sourceOf(part);
      jobs.push({ source, transforms, ...random, epoch, position: position + first, channels, size, out });
    }
    return jobs;
  }

  #sourceOf(rows: Int32Array): SampleJob['source'] {
    const { dataset } = this.#options;
    if (dataset instanceof ImageFiles) {
      return { files: Array.from(rows, (row) => dataset.files[row] as string), background: dataset.background };
    }
    const [channels, height, width] = dataset.shape;
    const bytes = channels * height * width;
    const pixels = new Uint8Array(rows.length * bytes);
    for (const [i, row] of rows.entries())
      pixels.set(dataset.images.subarray(row * bytes, (row + 1) * bytes), i * bytes);
    return { pixels, size: [height, width] };
  }

  /** Reports broken samples and closes the gaps that they leave; the number of samples that are left. */
  #leaveOut(broken: readonly BrokenSample[], pixels: Uint8Array, labels: Int32Array): number {
    if (broken.length === 0) return labels.length;
    const { dataset } = this.#options;
    for (const { file, message, reason } of broken)
      (dataset as ImageFiles).reportBroken(new DataError(message, { file, found: reason }));
    const gaps = new Set(broken.map(({ index }) => index));
    let length = 0;
    for (const [index, label] of labels.entries()) {
      if (gaps.has(index)) continue;
      pixels.copyWithin(length * this.#imageBytes, index * this.#imageBytes, (index + 1) * this.#imageBytes);
      labels[length++] = label;
    }
    return length;
  }

  #toDevice(pixels: Uint8Array, labels: Int32Array, length: number): [Tensor, Tensor] {
    const { device, channels, size, finisher } = this.#options;
    return untracked(() =>
      tidy((): [Tensor, Tensor] => {
        const bytes = fromHost(
          pixels.subarray(0, length * this.#imageBytes),
          [length, channels, ...size],
          'uint8',
          device,
        );
        return [finisher.finish(bytes), fromHost(labels.subarray(0, length), [length], 'int32', device)];
      }),
    );
  }

  /** Memory of an earlier batch where it is large enough, or new memory; workers write into it, too. */
  #room(bytes: number): Uint8Array {
    const fits = this.#free.findIndex((memory) => memory.length >= bytes);
    if (fits >= 0) return this.#free.splice(fits, 1)[0] as Uint8Array;
    try {
      return new Uint8Array(this.#pool ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
    } catch (cause) {
      throw new OutOfMemoryError(
        `A batch needs ${bytes} bytes of memory, which cannot be had; a smaller batchSize would help.`,
        { bytesAsked: bytes },
        { cause },
      );
    }
  }
}

/** Ends the threads of loaders that nobody holds any more. */
const forgotten = new FinalizationRegistry((pool: WorkerPool) => void pool.dispose());
