// A data set of image files, of any sizes: they are decoded when a batch needs them.
import { ConfigError, DataError } from '../errors.js';

/** What becomes of an image that cannot be decoded: left out with a warning, an error, or left out and told to a function. */
export type OnBroken = 'skip' | 'error' | ((error: DataError) => void);

export interface ImageFilesOptions {
  files: readonly string[];
  /** Class numbers, [files.length], each below the number of class names. */
  labels: ArrayLike<number>;
  classNames: readonly string[];
  /** Default 3; 1 for grey. */
  channels?: 1 | 3;
  /** What shows through transparent pixels. Default white. */
  background?: readonly [red: number, green: number, blue: number];
  /** Default 'error'. */
  onBroken?: OnBroken;
}

/** Labelled image files. Throws DataError (labels that do not fit). */
export class ImageFiles {
  readonly length: number;
  readonly files: readonly string[];
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  readonly channels: 1 | 3;
  readonly background: readonly [red: number, green: number, blue: number];
  readonly onBroken: OnBroken;
  /** Reasons by file; shared with the data sets that are made of this one. */
  #broken = new Map<string, string>();

  constructor(options: ImageFilesOptions) {
    const { files, labels, classNames, channels = 3, background = [255, 255, 255], onBroken = 'error' } = options;
    this.files = Object.freeze([...files]);
    this.labels = Int32Array.from(labels);
    this.length = this.files.length;
    this.classNames = Object.freeze([...classNames]);
    this.channels = channels;
    this.background = background;
    this.onBroken = onBroken;
    const wrong = this.labels.findIndex((label) => label < 0 || label >= classNames.length);
    if (this.labels.length !== this.length || wrong >= 0) {
      const found = wrong >= 0 ? `${labels[wrong]} for ${files[wrong]}` : `${labels.length} labels`;
      throw new DataError(
        `ImageFiles expected ${this.length} labels from 0 to ${classNames.length - 1}, one a file, got ${found}.`,
        { expected: this.length, found },
      );
    }
  }

  /** The images that could not be decoded so far, in the order in which they were met first. */
  get broken(): readonly { file: string; reason: string }[] {
    return Array.from(this.#broken, ([file, reason]) => ({ file, reason }));
  }

  /** Deals with a broken image as asked: throws, or tells of it once. */
  reportBroken(error: DataError): void {
    if (this.onBroken === 'error')
      throw new DataError(`${error.message} To leave such images out: onBroken 'skip' (--on-broken).`, error.details, {
        cause: error,
      });
    const file = String(error.details.file);
    if (this.#broken.has(file)) return;
    this.#broken.set(file, String(error.details.found));
    if (this.onBroken === 'skip') process.emitWarning(`${error.message} It is left out.`, 'DataWarning');
    else this.onBroken(error);
  }

  /** The first n images (all of them where there are fewer). */
  take(n: number): ImageFiles {
    if (!Number.isSafeInteger(n) || n < 0)
      throw new ConfigError(`take() expected a number of images, 0 or more, got ${n}.`, { n });
    return this.subset(Array.from({ length: Math.min(n, this.length) }, (_, i) => i));
  }

  /** The images with these row numbers, in this order. */
  subset(indices: ArrayLike<number>): ImageFiles {
    const rows = Array.from(indices);
    const wrong = rows.find((row) => !Number.isSafeInteger(row) || row < 0 || row >= this.length);
    if (wrong !== undefined) {
      throw new ConfigError(`subset() expected row numbers from 0 to ${this.length - 1}, got ${wrong}.`, {
        index: wrong,
      });
    }
    const { classNames, channels, background, onBroken } = this;
    const subset = new ImageFiles({
      files: rows.map((row) => this.files[row] as string),
      labels: rows.map((row) => this.labels[row] as number),
      classNames,
      channels,
      background,
      onBroken,
    });
    subset.#broken = this.#broken;
    return subset;
  }
}
