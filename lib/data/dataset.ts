// Data sets of labelled images, held in memory as bytes.
import { ConfigError, DataError, ShapeError } from '../errors.js';

/** Images of one size and their labels. */
export interface Dataset {
  /** Number of images. */
  readonly length: number;
  /** Pixels from 0 to 255, [length, channels, height, width] in row-major order. */
  readonly images: Uint8Array;
  /** [channels, height, width] of one image. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Class numbers, [length]. */
  readonly labels: Uint8Array;
  /** Names of the classes, by number; empty where they have none. */
  readonly classNames: readonly string[];
  /** The first n images (all of them where there are fewer); shares memory with this data set. */
  take(n: number): Dataset;
  /** The images with these row numbers, in this order; a copy. */
  subset(indices: ArrayLike<number>): Dataset;
}

export interface ArrayDatasetOptions {
  /** Pixels, [n, channels, height, width]; whole numbers from 0 to 255. */
  images: Uint8Array | ArrayLike<number>;
  /** Class numbers, [n]; whole numbers from 0 to 255, and below the number of class names where those are given. */
  labels: Uint8Array | ArrayLike<number>;
  shape: readonly [channels: number, height: number, width: number];
  classNames?: readonly string[];
}

/** A data set over arrays. Byte arrays are used as they are, not copied. Throws ShapeError and DataError. */
export class ArrayDataset implements Dataset {
  readonly length: number;
  readonly images: Uint8Array;
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly labels: Uint8Array;
  readonly classNames: readonly string[];

  constructor(options: ArrayDatasetOptions) {
    const { shape, classNames = [] } = options;
    if (!Array.isArray(shape) || shape.length !== 3 || !shape.every((d) => Number.isSafeInteger(d) && d > 0)) {
      throw new ShapeError(
        `ArrayDataset expected shape to be [channels, height, width], three positive integers, got ${JSON.stringify(shape)}.`,
        { shape },
      );
    }
    this.images = toBytes(options.images, 'images', 256);
    this.labels = toBytes(options.labels, 'labels', classNames.length || 256);
    this.length = this.labels.length;
    this.shape = Object.freeze([...shape]) as unknown as Dataset['shape'];
    this.classNames = Object.freeze([...classNames]);
    const expected = this.length * imageSize(shape);
    if (this.images.length !== expected) {
      throw new DataError(
        `ArrayDataset expected ${expected} pixels for ${this.length} labels and images of shape [${shape.join(', ')}], got ${this.images.length}.`,
        { expected, found: this.images.length },
      );
    }
  }

  take(n: number): Dataset {
    if (!Number.isSafeInteger(n) || n < 0)
      throw new ConfigError(`take() expected a number of images, 0 or more, got ${n}.`, { n });
    const count = Math.min(n, this.length);
    return this.#with(this.images.subarray(0, count * imageSize(this.shape)), this.labels.subarray(0, count));
  }

  subset(indices: ArrayLike<number>): Dataset {
    const size = imageSize(this.shape);
    const images = new Uint8Array(indices.length * size);
    const labels = new Uint8Array(indices.length);
    for (let row = 0; row < indices.length; row++) {
      const index = indices[row] as number;
      if (!Number.isSafeInteger(index) || index < 0 || index >= this.length) {
        throw new ConfigError(
          `subset() expected row numbers from 0 to ${this.length - 1}, got ${index} at position ${row}.`,
          { index, position: row },
        );
      }
      images.set(this.images.subarray(index * size, (index + 1) * size), row * size);
      labels[row] = this.labels[index] as number;
    }
    return this.#with(images, labels);
  }

  #with(images: Uint8Array, labels: Uint8Array): Dataset {
    return new ArrayDataset({ images, labels, shape: this.shape, classNames: this.classNames });
  }
}

const imageSize = (shape: Dataset['shape']): number => shape[0] * shape[1] * shape[2];

/** The values as bytes, each checked to be a whole number from 0 to limit - 1. */
function toBytes(values: ArrayLike<number>, name: string, limit: number): Uint8Array {
  const isBytes = values instanceof Uint8Array;
  const bytes = isBytes ? values : new Uint8Array(values?.length ?? 0);
  if (isBytes && limit > 255) return bytes;
  for (let i = 0; i < bytes.length; i++) {
    const value = values[i] as number;
    if (!Number.isInteger(value) || value < 0 || value >= limit) {
      throw new DataError(
        `ArrayDataset expected ${name} to be whole numbers from 0 to ${limit - 1}, got ${value} at position ${i}.`,
        {
          expected: `0 to ${limit - 1}`,
          found: value,
          position: i,
        },
      );
    }
    bytes[i] = value;
  }
  return bytes;
}
