// JPEG files like photographs, for benchmarks: noise in several octaves, so that they decode as slowly.
import { mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const [width, height] = [500, 375]; // of most images of ImageNet
const classes = 10;
/** Sides of a patch of noise in pixels, and what it adds to a pixel's value: large patches are strong, as in photographs. */
const octaves = [
  { patch: 125, strength: 70 },
  { patch: 25, strength: 35 },
  { patch: 5, strength: 18 },
  { patch: 1, strength: 14 },
] as const;

/** Writes `count` files into a folder of each class; the same ones each time. Their mean size in bytes. */
export async function writeJpegs(folder: string, count: number): Promise<number> {
  const random = generator(1);
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const place = join(folder, `class${i % classes}`);
    mkdirSync(place, { recursive: true });
    const file = join(place, `${i}.jpg`);
    const pixels = await photograph(random);
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 95 })
      .toFile(file);
    bytes += (await stat(file)).size;
  }
  return bytes / count;
}

/** [height, width, 3] */
async function photograph(random: () => number): Promise<Uint8ClampedArray> {
  const sum = new Float32Array(width * height * 3).fill(128);
  for (const { patch, strength } of octaves) {
    const [columns, rows] = [Math.ceil(width / patch), Math.ceil(height / patch)];
    const noise = Uint8Array.from({ length: columns * rows * 3 }, () => 256 * random());
    const smooth = await sharp(noise, { raw: { width: columns, height: rows, channels: 3 } })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + (smooth[i]! / 127.5 - 1) * strength;
  }
  return Uint8ClampedArray.from(sum);
}

/** Numbers from 0 to 1 (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
