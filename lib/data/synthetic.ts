// Made-up images that can be learned: for tests and for measuring throughput without files.
import { ConfigError } from '../errors.js';
import { atOnce, inTurns } from '../in-turns.js';
import { checkInteger, checkOptions } from '../options.js';
import { ArrayDataset, type Dataset } from './dataset.js';
import { SampleRandom } from './sample-random.js';

export interface SyntheticOptions {
  /** Number of images. */
  length: number;
  /** [channels, height, width]. Default [3, 32, 32]. */
  shape?: readonly [channels: number, height: number, width: number];
  /** 1 to 256. Default 10. */
  classes?: number;
  /** Default 0. The same seed gives the same images, however many. */
  seed?: number;
}

/** Half a random picture of its class, half noise. Classes come in turn: image i is of class i modulo their number. */
export function synthetic(options: SyntheticOptions): Dataset {
  return atOnce(making(options));
}

/** The same data set; while it is made the event loop goes on turning. */
export function syntheticInTurns(options: SyntheticOptions): Promise<Dataset> {
  return inTurns(making(options));
}

/** A step an image. */
function* making(options: SyntheticOptions): Generator<void, Dataset> {
  checkOptions('synthetic()', options, ['length', 'shape', 'classes', 'seed']);
  const { shape = [3, 32, 32], classes = 10, seed = 0 } = options;
  const length = checkInteger('synthetic()', 'length', options.length, 1);
  if (checkInteger('synthetic()', 'classes', classes, 1) > 256)
    throw new ConfigError(`synthetic() expected classes to be at most 256, got ${classes}.`, { classes });
  checkInteger('synthetic()', 'seed', seed, 0);
  const size = shape.reduce((n, d) => n * d, 1);
  const pictures = Array.from({ length: classes }, (_, label) => noise(size, seed, 1, label));
  const images = new Uint8Array(length * size);
  for (let i = 0; i < length; i++) {
    const picture = pictures[i % classes] as Uint8Array;
    const own = noise(size, seed, 0, i);
    for (let at = 0; at < size; at++) images[i * size + at] = ((picture[at] as number) + (own[at] as number)) >> 1;
    yield;
  }
  const labels = Uint8Array.from({ length }, (_, i) => i % classes);
  const classNames = Array.from({ length: classes }, (_, label) => String(label));
  return new ArrayDataset({ images, labels, shape, classNames });
}

function noise(size: number, seed: number, stream: number, position: number): Uint8Array {
  const random = new SampleRandom({ seed, stream, epoch: 0, position });
  const words = Uint32Array.from({ length: Math.ceil(size / 4) }, () => random.bits());
  return new Uint8Array(words.buffer, 0, size);
}
