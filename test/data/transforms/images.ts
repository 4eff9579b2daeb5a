// Images and random numbers for tests of the transforms.

import type { HostImage } from '../../../lib/data/image.js';
import { SampleRandom } from '../../../lib/data/sample-random.js';
import { applyTransform } from '../../../lib/data/transforms/apply.js';
import type { Transform } from '../../../lib/data/transforms/transform.js';
import { integerValues } from '../../helpers/values.js';

export function image(channels: number, height: number, width: number, pixels?: ArrayLike<number>): HostImage {
  const values = pixels ?? integerValues(channels * height * width, 1 + height, 256);
  return { pixels: Uint8Array.from(values), channels, height, width };
}

export const randomOf = (position: number): SampleRandom =>
  new SampleRandom({ seed: 1, stream: 0, epoch: 0, position });

export const run = (input: HostImage, transform: Transform, position = 0): HostImage =>
  applyTransform(input, transform, randomOf(position));

/** A pixel, or `fill` beyond the edges. */
export function pixelAt(of: HostImage, channel: number, y: number, x: number, fill = 0): number {
  if (y < 0 || x < 0 || y >= of.height || x >= of.width) return fill;
  return of.pixels[(channel * of.height + y) * of.width + x] as number;
}

/** What a rule for each pixel makes of an image. */
export function each(
  channels: number,
  height: number,
  width: number,
  pixel: (channel: number, y: number, x: number) => number,
): HostImage {
  const pixels = new Uint8Array(channels * height * width);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) pixels[(c * height + y) * width + x] = pixel(c, y, x);
  return { pixels, channels, height, width };
}
