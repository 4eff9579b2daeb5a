// The images that a net is most sure of and wrong about.
import { pause } from '../autograd/tape.js';
import type { DataLoader } from '../data/data-loader.js';
import { ImageFiles } from '../data/image-files.js';
import type { LoaderDataset } from '../data/loader-options.js';
import type { Device } from '../device.js';
import { checkInteger } from '../options.js';
import { autocast, type Precision } from '../precision.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDevice, forEachBatch, type Network } from '../train/batches.js';

/** How many a report shows. */
export const mistakesShown = 24;

/** An image that was classified wrongly, as the net saw it: resized and cut. */
export interface Mistake {
  /** From 0 to 255, [height, width, channels] in row-major order. */
  pixels: Uint8Array;
  width: number;
  height: number;
  /** 1: grey. 3: red, green, blue. */
  channels: 1 | 3;
  /** Class numbers. */
  actual: number;
  predicted: number;
  /** Of the predicted class, from 0 to 1. */
  probability: number;
  /** The image's file, where the data set is one of files. */
  file?: string;
}

export interface WorstMistakesOptions {
  /** Type of the activations. Default 'float32'. */
  precision?: Precision;
  /** Ends it early, with what was found so far. */
  signal?: AbortSignal;
}

/**
 * Of the loader's images that `net` (in prediction mode, on `device`) puts into a wrong class, the at most `count` with the largest
 * probability of that class, largest first. Images whose scores are NaN are left out. Throws ConfigError (arguments) and DataError (no images).
 */
export async function worstMistakes(
  net: Network,
  loader: DataLoader<LoaderDataset>,
  count: number,
  device: Device,
  { precision = 'float32', signal }: WorstMistakesOptions = {},
): Promise<Mistake[]> {
  checkDevice('worstMistakes', device);
  checkInteger('worstMistakes', 'count', count, 1);
  const { order } = loader;
  let worst: (Mistake & { place: number })[] = [];
  let before = 0; // images of earlier batches
  await forEachBatch('worstMistakes', loader, device, async (X, y) => {
    if (signal?.aborted) return false;
    const least = worst.length < count ? 0 : (worst.at(-1) as Mistake).probability;
    const found = (await mistakesOf(net, X, y, precision)).filter(({ probability }) => probability > least);
    const first = before;
    before += y.size;
    if (found.length === 0) return true;
    const values = await X.data();
    const seen = found.map((guess) => ({ ...imageAt(guess.row, X.shape, values, loader.normalization), ...guess }));
    worst = [...worst, ...seen.map(({ row, ...mistake }) => ({ ...mistake, place: first + row }))]
      .sort((a, b) => b.probability - a.probability)
      .slice(0, count);
    return true;
  });
  const files = filesInOrder(loader.dataset, order);
  return worst.map(({ place, ...mistake }) => (files ? { ...mistake, file: files[place] } : mistake));
}

/** The files of the images that came, after an epoch in which all of them were asked for: those that were broken did not. */
function filesInOrder(dataset: LoaderDataset, order: Int32Array): string[] | null {
  if (!(dataset instanceof ImageFiles)) return null;
  const broken = new Set(dataset.broken.map(({ file }) => file));
  return Array.from(order, (row) => dataset.files[row] as string).filter((file) => !broken.has(file));
}

interface Guess {
  /** Of the batch. */
  row: number;
  actual: number;
  predicted: number;
  probability: number;
}

/** X [batch, channels, height, width], y [batch]. */
async function mistakesOf(net: Network, X: Tensor, y: Tensor, precision: Precision): Promise<Guess[]> {
  const scores = autocast(precision, () => pause(() => tidy(() => net.forward(X).astype('float32').softmax(1)))); // [batch, classes]
  try {
    const [probabilities, labels] = [await scores.data(), await y.data()];
    const classes = scores.shape[1] as number;
    return Array.from(labels, (label, row) => {
      const ofRow = probabilities.subarray(row * classes, (row + 1) * classes) as Float32Array;
      const predicted = ofRow.reduce((best, value, i) => (value > (ofRow[best] as number) ? i : best), 0);
      return { row, actual: Number(label), predicted, probability: ofRow[predicted] as number };
    }).filter(({ actual, predicted, probability }) => actual !== predicted && !Number.isNaN(probability));
  } finally {
    scores.dispose();
  }
}

/** The pixels of one image of a batch, [channels, height, width] in float, with the normalisation undone. */
function imageAt(
  row: number,
  shape: readonly number[],
  values: ArrayLike<number | bigint>,
  normalization: DataLoader['normalization'],
): Pick<Mistake, 'pixels' | 'width' | 'height' | 'channels'> {
  const [channels, height, width] = [shape[1] as 1 | 3, shape[2] as number, shape[3] as number];
  const { mean, std } = normalization ?? { mean: [0], std: [1] };
  const area = height * width;
  const pixels = new Uint8ClampedArray(area * channels); // rounds
  for (let c = 0; c < channels; c++) {
    const [shift, scale] = [mean[mean.length === 1 ? 0 : c] as number, std[std.length === 1 ? 0 : c] as number];
    const plane = (row * channels + c) * area;
    for (let i = 0; i < area; i++) pixels[i * channels + c] = 255 * (Number(values[plane + i]) * scale + shift);
  }
  return { pixels: new Uint8Array(pixels.buffer), width, height, channels };
}
