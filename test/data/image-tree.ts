// A folder of image files for tests: classes in nested folders, some files rotated, grey, transparent or broken.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromPixels, gradient, noisy } from './image-bytes.js';

export interface ImageTree {
  root: string;
  /** Files that are no images, by path. */
  broken: string[];
}

/** 14 images of three classes: 'animals/cat' (7, of which 2 are broken), 'animals/dog' (4), 'plane' (3). */
export async function writeImageTree(root: string): Promise<ImageTree> {
  const files: Record<string, Uint8Array> = {
    'animals/cat/1.jpg': await gradient(64, 48).jpeg().toBuffer(),
    'animals/cat/2.JPEG': await gradient(48, 64).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'animals/cat/3.png': await gradient(30, 30).greyscale().png().toBuffer(),
    'animals/cat/4.webp': await gradient(90, 20).webp().toBuffer(),
    'animals/cat/5.jpg': Buffer.from('not an image'),
    'animals/cat/6.jpg': (await noisy(80, 80).jpeg().toBuffer()).subarray(0, 4000),
    'animals/cat/7.png': await fromPixels([200, 100, 50], 1, 1).png().toBuffer(),
    'plane/x.png': await noisy(40, 40, 2).ensureAlpha(0.5).png().toBuffer(),
    'plane/y.jpg': await noisy(500, 400, 3).jpeg().toBuffer(),
    'plane/z.jpg': await noisy(33, 77, 4).jpeg().toBuffer(),
    'plane/notes.txt': Buffer.from('of no class'),
    'plane/.hidden.png': Buffer.from('hidden'),
    'empty/readme.md': Buffer.from('no images here'),
    'outside.jpg': await gradient(8, 8).jpeg().toBuffer(),
  };
  for (let i = 0; i < 4; i++)
    files[`animals/dog/${i}.jpg`] = await noisy(50 + i, 60, 10 + i)
      .jpeg()
      .toBuffer();
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), bytes);
  }
  return { root, broken: ['animals/cat/5.jpg', 'animals/cat/6.jpg'].map((name) => join(root, name)) };
}
