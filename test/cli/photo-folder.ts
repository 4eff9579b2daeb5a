// A folder of generated JPEG files in nested classes, as people have them: some turned by EXIF, some grey, some broken.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** Each class has a colour; within it brightness and size vary. */
const classes = [
  { name: 'animals/cat', colour: [200, 60, 40] },
  { name: 'animals/dog', colour: [40, 180, 70] },
  { name: 'things/cup', colour: [50, 70, 200] },
  { name: 'things/hat', colour: [210, 200, 60] },
] as const;

export const photoClasses: readonly string[] = classes.map(({ name }) => name);

/** How many of the files cannot be decoded. */
export const brokenIn = (count: number): number => Math.ceil((count - 7) / 19);

/** Writes `count` files, class after class in turn; every 19th is broken, others are turned or grey. */
export async function writePhotos(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { name, colour } = classes[i % classes.length] as (typeof classes)[number];
    const file = join(folder, name, `${String(i).padStart(3, '0')}.jpg`);
    mkdirSync(dirname(file), { recursive: true });
    const bytes = await photo(colour, i);
    writeFileSync(file, i % 19 === 7 ? broken(bytes, i) : bytes);
  }
}

function photo(colour: readonly number[], i: number): Promise<Buffer> {
  const shade = 0.7 + 0.3 * ((i * 37) % 100) * 0.01;
  const [r, g, b] = colour.map((value) => Math.round(value * shade)) as [number, number, number];
  const [width, height] = [40 + ((i * 13) % 30), 40 + ((i * 7) % 25)];
  let image = sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
  if (i % 9 === 3) image = image.toColourspace('b-w');
  if (i % 7 === 1) image = image.withMetadata({ orientation: 6 });
  return image.jpeg({ quality: 90 }).toBuffer();
}

/** Cut off in its header, or no picture at all. */
const broken = (bytes: Buffer, i: number): Buffer =>
  i % 2 === 0 ? bytes.subarray(0, 60) : Buffer.from('no picture\n');
