// Makes the samples of a batch: decoded or taken from memory, transformed, written one after another. Runs on any thread.
import { setImmediate as pause } from 'node:timers/promises';
import type { Sharp } from 'sharp';
import { DataError } from '../errors.js';
import { type HostImage, mostPixels, openImage, readImageFile, readPixels } from './image.js';
import { SampleRandom } from './sample-random.js';
import { applyTransform, geometryOf } from './transforms/apply.js';
import type { Geometry, Size, Transform } from './transforms/transform.js';

/** Some samples of one batch. Plain data: it is sent to worker threads. */
export interface SampleJob {
  source: FileSource | PixelSource;
  transforms: readonly Transform[];
  seed: number;
  stream: number;
  epoch: number;
  /** Place of the first sample in the epoch. */
  position: number;
  channels: number;
  /** Size of the finished images. */
  size: Size;
  /** [samples, channels, height, width], written. */
  out: Uint8Array;
}

/** The bytes of an image file that is none on this machine's disk, and what errors call it. */
export interface NamedBytes {
  name: string;
  bytes: Uint8Array;
}

export interface FileSource {
  files: readonly (string | NamedBytes)[];
  background: readonly [number, number, number];
}

export interface PixelSource {
  /** [samples, channels, height, width] */
  pixels: Uint8Array;
  size: Size;
}

/** A sample that was not made: its place in the job, and why. */
export interface BrokenSample {
  index: number;
  file: string;
  message: string;
  reason: string;
}

const filesAtOnce = 8; // twice libuv's default number of threads: reading and decoding overlap, and few files are in memory

const bytesWithoutPause = 2 ** 18; // a few milliseconds: other work of the thread does not have to wait for a whole batch

/** Lets a few tasks in at a time. */
export class Gate {
  #free = filesAtOnce;
  readonly #waiting: (() => void)[] = [];

  async pass<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((enter) => this.#waiting.push(enter));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

const gate = new Gate(); // of this thread

/** Makes the samples of a job. Resolves to those whose files are broken, whose places in `out` stay as they were. */
export async function makeSamples(job: SampleJob): Promise<BrokenSample[]> {
  if ('pixels' in job.source) {
    await makeFromPixels(job, job.source);
    return [];
  }
  const { files, background } = job.source;
  const made = await Promise.allSettled(
    files.map((file, index) => gate.pass(() => makeFromFile(job, index, file, background))),
  );
  const broken: BrokenSample[] = [];
  for (const [index, result] of made.entries()) {
    if (result.status === 'fulfilled') continue;
    const { reason } = result;
    if (!(reason instanceof DataError)) throw reason;
    const file = nameOf(files[index] as string | NamedBytes);
    broken.push({ index, file, message: reason.message, reason: String(reason.details.found) });
  }
  return broken;
}

async function makeFromPixels(job: SampleJob, { pixels, size: [height, width] }: PixelSource): Promise<void> {
  const bytes = job.channels * height * width;
  let sincePause = 0;
  for (let index = 0; index * bytes < pixels.length; index++) {
    const image = {
      pixels: pixels.subarray(index * bytes, (index + 1) * bytes),
      channels: job.channels,
      height,
      width,
    };
    finish(job, index, image, job.transforms, randomOf(job, index));
    sincePause += bytes;
    if (sincePause < bytesWithoutPause) continue;
    await pause();
    sincePause = 0;
  }
}

async function makeFromFile(
  job: SampleJob,
  index: number,
  file: string | NamedBytes,
  background: FileSource['background'],
): Promise<void> {
  const name = nameOf(file);
  const bytes = typeof file === 'string' ? await readImageFile(file) : file.bytes;
  const { pipeline, width, height } = await openImage(bytes, name, background);
  const random = randomOf(job, index);
  const [first, ...rest] = job.transforms;
  const geometry = first && geometryOf([height, width], first, random);
  if (geometry) checkSize(name, [height, width], geometry.size);
  const prepared = geometry ? cutAndResize(pipeline, [height, width], geometry) : pipeline;
  const image = await readPixels(prepared, job.channels as 1 | 3, name);
  finish(job, index, image, geometry ? rest : job.transforms, random);
}

/** A narrow strip whose shorter side is resized would fill the memory. */
function checkSize(name: string, [height, width]: Size, [toHeight, toWidth]: Size): void {
  if (toHeight * toWidth <= mostPixels) return;
  throw new DataError(
    `${name}: expected an image that has at most ${mostPixels} pixels after resizing, got one of ${width} x ${height} that would have ${toWidth} x ${toHeight}.`,
    { file: name, expected: mostPixels, found: `${width} x ${height} pixels` },
  );
}

const nameOf = (file: string | NamedBytes): string => (typeof file === 'string' ? file : file.name);

const randomOf = ({ seed, stream, epoch, position }: SampleJob, index: number): SampleRandom =>
  new SampleRandom({ seed, stream, epoch, position: position + index });

function finish(
  job: SampleJob,
  index: number,
  image: HostImage,
  transforms: readonly Transform[],
  random: SampleRandom,
) {
  let done = image;
  for (const transform of transforms) done = applyTransform(done, transform, random);
  job.out.set(done.pixels, index * job.channels * job.size[0] * job.size[1]);
}

/**
 * The geometry as part of decoding. A JPEG file can be decoded at a half, a quarter or an eighth of its size, but only as a whole:
 * where the region shrinks that much, the whole image is scaled and then cut, to within half a pixel of the output.
 */
function cutAndResize(pipeline: Sharp, [height, width]: Size, { region, size }: Geometry): Sharp {
  const [toHeight, toWidth] = size;
  const across = toWidth / region.width;
  const down = toHeight / region.height;
  const isWhole = region.width === width && region.height === height;
  if (!isWhole && Math.max(across, down) > 0.5) {
    return scale(pipeline.extract(region), size);
  }
  const scaled: Size = [Math.max(toHeight, Math.round(height * down)), Math.max(toWidth, Math.round(width * across))];
  const whole = scale(pipeline, scaled);
  if (isWhole) return whole;
  return whole.extract({
    top: Math.min(scaled[0] - toHeight, Math.round(region.top * down)),
    left: Math.min(scaled[1] - toWidth, Math.round(region.left * across)),
    height: toHeight,
    width: toWidth,
  });
}

const scale = (pipeline: Sharp, [height, width]: Size): Sharp =>
  pipeline.resize({ width, height, fit: 'fill', kernel: 'linear' });
