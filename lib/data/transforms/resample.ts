// Bilinear resize of images on the host, antialiased where it makes them smaller.
import type { HostImage } from '../image.js';
import type { Geometry } from './transform.js';

/** For each place of the output: the first input place that counts, and the weights from there on. */
interface Taps {
  first: Int32Array;
  /** [places, width], padded with zeros. */
  weights: Float64Array;
  width: number;
}

/**
 * The triangle filter with half-pixel centres, stretched by the scale where the output is smaller
 * (torch.nn.functional.interpolate with mode='bilinear', antialias=True).
 */
function triangleTaps(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const width = Math.min(from, 2 * Math.ceil(support) + 1);
  const first = new Int32Array(to);
  const weights = new Float64Array(to * width);
  for (let place = 0; place < to; place++) {
    const centre = scale * (place + 0.5);
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    let total = 0;
    for (let i = start; i < end; i++) {
      const weight = Math.max(0, 1 - Math.abs((i - centre + 0.5) / support));
      weights[place * width + i - start] = weight;
      total += weight;
    }
    for (let i = 0; i < width; i++) weights[place * width + i] = (weights[place * width + i] as number) / total;
    first[place] = start;
  }
  return { first, weights, width };
}

/** Cuts out the region and resizes it. */
export function resample(image: HostImage, { region, size }: Geometry): HostImage {
  const [height, width] = size;
  if (region.height === height && region.width === width) return cut(image, region);
  const columns = triangleTaps(region.width, width);
  const rows = triangleTaps(region.height, height);
  const pixels = new Uint8Array(image.channels * height * width);
  const narrowed = new Float64Array(region.height * width); // [region.height, width]
  for (let channel = 0; channel < image.channels; channel++) {
    const plane = image.pixels.subarray(channel * image.height * image.width);
    for (let y = 0; y < region.height; y++) {
      const at = (region.top + y) * image.width + region.left;
      for (let x = 0; x < width; x++) narrowed[y * width + x] = weigh(plane, at, 1, columns, x, region.width);
    }
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        pixels[(channel * height + y) * width + x] = Math.round(weigh(narrowed, x, width, rows, y, region.height));
  }
  return { pixels, channels: image.channels, height, width };
}

/** The weighted sum of one output place over values `stride` apart. */
function weigh(
  values: ArrayLike<number>,
  offset: number,
  stride: number,
  { first, weights, width }: Taps,
  place: number,
  count: number,
): number {
  const start = first[place] as number;
  const end = Math.min(count, start + width);
  let sum = 0;
  for (let i = start, at = place * width; i < end; i++, at++)
    sum += (weights[at] as number) * (values[offset + i * stride] as number);
  return sum;
}

/** A copy of a region that lies within the image. */
export function cut(image: HostImage, { top, left, height, width }: Geometry['region']): HostImage {
  const pixels = new Uint8Array(image.channels * height * width);
  for (let row = 0; row < image.channels * height; row++) {
    const channel = Math.floor(row / height);
    const at = (channel * image.height + top + (row - channel * height)) * image.width + left;
    pixels.set(image.pixels.subarray(at, at + width), row * width);
  }
  return { pixels, channels: image.channels, height, width };
}
