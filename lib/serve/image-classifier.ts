// Runs a net over images: decodes files or bytes to what the net takes, and gives the probabilities of its classes.
import { BatchFinisher } from '../data/finish-batch.js';
import { type BrokenSample, makeSamples, type NamedBytes } from '../data/sample.js';
import { centerCrop, normalize, resizeShorter } from '../data/transforms/index.js';
import type { TransformOf } from '../data/transforms/transform.js';
import type { Device } from '../device.js';
import { NumericError } from '../errors.js';
import { capture } from '../graph/capture.js';
import type { Normalization } from '../interop/index.js';
import type { Block } from '../nn/index.js';
import type { Precision } from '../precision.js';
import { fromHost } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/** What images become before they enter a net, and what its outputs mean. */
export interface ImageInput {
  /** [channels, height, width]; one or three channels. */
  inputShape: readonly [number, number, number];
  /** Pixels of the shorter side of an image before its middle is cut out. Default: the longer of height and width. */
  resize?: number;
  /** By class number. Default: 'class 0', 'class 1', ... */
  classNames?: readonly string[];
  /** What follows the division by 255, for each channel. Default: nothing. */
  normalization?: Normalization;
}

export interface ClassifierOptions {
  device: Device;
  /** Default: the one that is set. */
  precision?: Precision;
  /** The most images that run together. */
  maxBatch: number;
}

export interface LikelyClass {
  class: number;
  name: string;
  probability: number;
}

/** Images cut to the net's input. */
export interface DecodedImages {
  /** uint8 [images, channels, height, width]; broken ones are black. */
  pixels: Uint8Array;
  broken: readonly BrokenSample[];
}

export class ImageClassifier {
  /**
   * How many images a program takes, ascending: powers of two, and the largest batch. A batch is filled up to the next of them with
   * black images. Each size has a program with algorithms and a folded copy of the weights of its own, so there are few of them; and
   * less than half of a batch is filling.
   */
  readonly batchSizes: readonly number[];
  readonly #input: ImageInput;
  readonly #device: Device;
  readonly #run: (pixels: Tensor) => Promise<Tensor>;

  constructor(net: Block, input: ImageInput, { device, precision, maxBatch }: ClassifierOptions) {
    const [, height, width] = input.inputShape;
    const { normalization } = input;
    const last = normalization && (normalize(normalization.mean, normalization.std) as TransformOf<'normalize'>);
    const finisher = new BatchFinisher([height, width], device, last);
    this.batchSizes = batchSizesUpTo(maxBatch);
    this.#input = input;
    this.#device = device;
    this.#run = capture((pixels) => net.forward(finisher.finish(pixels)).softmax(1), { precision });
  }

  /** Bytes of one decoded image. */
  get imageBytes(): number {
    const [channels, height, width] = this.#input.inputShape;
    return channels * height * width;
  }

  /** Decodes files, or the bytes of some; those that are broken are told of. */
  async decode(images: readonly (string | NamedBytes)[]): Promise<DecodedImages> {
    const [channels, height, width] = this.#input.inputShape;
    const pixels = new Uint8Array(images.length * this.imageBytes);
    const broken = await makeSamples({
      source: { files: images, background: [255, 255, 255] },
      transforms: [resizeShorter(this.#input.resize ?? Math.max(height, width)), centerCrop([height, width])],
      seed: 0,
      stream: 0,
      epoch: 0,
      position: 0,
      channels,
      size: [height, width],
      out: pixels,
    });
    return { pixels, broken };
  }

  /** pixels: uint8 [images, channels, height, width], 1 to `maxBatch` images -> probabilities [images, classes] */
  async classify(pixels: Uint8Array): Promise<Float32Array> {
    const images = pixels.length / this.imageBytes;
    const size = this.batchSizes.find((candidate) => candidate >= images) as number;
    const filled = images === size ? pixels : withLength(pixels, size * this.imageBytes);
    const input = fromHost(filled, [size, ...this.#input.inputShape], 'uint8', this.#device);
    try {
      const output = await this.#run(input); // [size, classes]
      try {
        const probabilities = (await output.data()) as Float32Array;
        return probabilities.subarray(0, (probabilities.length / size) * images);
      } finally {
        output.dispose();
      }
    } finally {
      input.dispose();
    }
  }

  /** Plans the program of each batch size, so that no image has to wait for that. Resolves to the number of classes. */
  async prepare(): Promise<number> {
    let classes = 0;
    for (const size of this.batchSizes) {
      const probabilities = await this.classify(new Uint8Array(size * this.imageBytes));
      classes = probabilities.length / size;
    }
    return classes;
  }

  /** The `top` likeliest classes of an image, the likeliest first. probabilities: [classes]. Throws NumericError where they are none. */
  likeliest(probabilities: Float32Array, top: number): LikelyClass[] {
    if (!probabilities.every(Number.isFinite))
      throw new NumericError('The net gave no probabilities but NaN: its weights may be damaged.');
    return Array.from(probabilities, (probability, number) => ({
      class: number,
      name: this.className(number),
      probability,
    }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top);
  }

  className(number: number): string {
    return this.#input.classNames?.[number] ?? `class ${number}`;
  }
}

/** 12 -> [1, 2, 4, 8, 12] */
export function batchSizesUpTo(most: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size < most; size *= 2) sizes.push(size);
  return [...sizes, most];
}

function withLength(pixels: Uint8Array, length: number): Uint8Array {
  const longer = new Uint8Array(length);
  longer.set(pixels);
  return longer;
}
