// Makes image files for tests.
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { integerValues } from '../helpers/values.js';

/** Interleaved pixels as sharp takes them. */
export function fromPixels(pixels: ArrayLike<number>, width: number, height: number, channels: 1 | 3 | 4 = 3): Sharp {
  return sharp(Uint8Array.from(pixels), { raw: { width, height, channels } });
}

/** A smooth picture, that survives JPEG: red grows to the right, green downwards, blue is given. */
export function gradientPixels(width: number, height: number, blue = 100): Uint8Array {
  const pixels = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      pixels.set(
        [Math.round((255 * x) / Math.max(1, width - 1)), Math.round((255 * y) / Math.max(1, height - 1)), blue],
        3 * (y * width + x),
      );
  return pixels;
}

export const gradient = (width: number, height: number, blue?: number): Sharp =>
  fromPixels(gradientPixels(width, height, blue), width, height);

/** Noise, that does not compress. */
export const noisy = (width: number, height: number, seed = 1): Sharp =>
  fromPixels(integerValues(3 * width * height, seed, 256), width, height);

/** [height, width, channels] -> [channels, height, width] */
export function planar(pixels: ArrayLike<number>, channels: number): number[] {
  const count = pixels.length / channels;
  return Array.from(
    { length: pixels.length },
    (_, i) => pixels[(i % count) * channels + Math.floor(i / count)] as number,
  );
}

/** A small PNG file whose header says that it is so large: a decompression bomb without its charge. */
export async function claimingSize(width: number, height: number): Promise<Buffer> {
  const bytes = await fromPixels([1, 2, 3], 1, 1).png().toBuffer();
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29); // of the chunk IHDR
  return bytes;
}
