// Batches made on the host: rows gathered, resized and scaled on threads of the pool, then copied to the device.
import type { Device } from '../device.js';
import { OutOfMemoryError } from '../errors.js';
import { native } from '../native.js';
import { fromHost } from '../tensor/create.js';
import type { BatchMaker, PreparedBatch } from './batch-maker.js';
import type { Dataset } from './dataset.js';

/** Host memory for one batch. Reused: touching fresh memory costs more than filling it. */
interface Buffer {
  images: Float32Array;
  labels: Int32Array;
}

export class HostBatches implements BatchMaker {
  readonly #dataset: Dataset;
  readonly #size: readonly [height: number, width: number];
  readonly #device: Device;
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  /** `keep`: how many buffers are kept for later batches. */
  constructor(dataset: Dataset, size: readonly [height: number, width: number], device: Device, keep: number) {
    this.#dataset = dataset;
    this.#size = size;
    this.#device = device;
    this.#keep = keep;
  }

  async prepare(rows: Int32Array): Promise<PreparedBatch> {
    const buffer = this.#buffer(rows.length);
    try {
      await this.#fill(buffer, rows);
    } catch (error) {
      this.#release(buffer);
      throw error;
    }
    return {
      length: rows.length,
      take: () => {
        try {
          const images = buffer.images.subarray(0, rows.length * this.#elementsOfImage);
          const x = fromHost(images, [rows.length, this.#dataset.shape[0], ...this.#size], 'float32', this.#device);
          return [x, fromHost(buffer.labels.subarray(0, rows.length), [rows.length], 'int32', this.#device)];
        } finally {
          this.#release(buffer);
        }
      },
      drop: () => this.#release(buffer),
    };
  }

  #fill(buffer: Buffer, indices: Int32Array): Promise<void> {
    const [channels, height, width] = this.#dataset.shape;
    const [outHeight, outWidth] = this.#size;
    return native().prepareBatch({
      images: this.#dataset.images,
      labels: this.#dataset.labels,
      channels,
      height,
      width,
      indices,
      outHeight,
      outWidth,
      scale: 1 / 255,
      outImages: buffer.images.subarray(0, indices.length * this.#elementsOfImage),
      outLabels: buffer.labels.subarray(0, indices.length),
    });
  }

  /** A free buffer with room for so many images, or a new one. */
  #buffer(rows: number): Buffer {
    const fits = this.#free.findIndex((buffer) => buffer.labels.length >= rows);
    if (fits >= 0) return this.#free.splice(fits, 1)[0] as Buffer;
    const elements = rows * this.#elementsOfImage;
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
    if (this.#free.length < this.#keep) this.#free.push(buffer);
  }

  get #elementsOfImage(): number {
    return this.#dataset.shape[0] * this.#size[0] * this.#size[1];
  }
}
