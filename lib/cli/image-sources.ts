// The images that a command is given: files, folders, a list of paths, standard input. They are found while others are predicted.
import { open, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { defaultExtensions, findImages } from '../data/image-folder.js';
import { ConfigError, DataError } from '../errors.js';

/** What stands for standard input. */
export const standardInput = '-';

/** An image's path, with its bytes where it comes from standard input ('-'). */
export interface GivenImage {
  file: string;
  bytes?: Uint8Array;
}

/** Why there are no images at a path. */
export interface NoImage {
  file: string;
  error: string;
}

export type ImageSource = GivenImage | NoImage;

/**
 * The images at `paths`, then those in the lines of the file `listFile`. A folder stands for the images in it and in its folders, sorted;
 * '-' among the paths for the image that standard input is, '-' as the list for its lines. Throws ConfigError for a list that cannot be read.
 */
export async function* imageSources(
  paths: readonly string[],
  listFile?: string,
  stdin: Readable = process.stdin,
): AsyncGenerator<ImageSource> {
  for (const path of paths) {
    if (path === standardInput) yield { file: path, bytes: await buffer(stdin) };
    else yield* sourcesAt(path);
  }
  if (listFile === undefined) return;
  for await (const line of linesOf(listFile, stdin)) if (line !== '') yield* sourcesAt(line);
}

/** The file itself, or the images in a folder. What is not there counts as a file, and is reported as one. */
async function* sourcesAt(path: string): AsyncGenerator<ImageSource> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (!isFolder) {
    yield { file: path };
    return;
  }
  try {
    const images = await findImages(path, new Set(defaultExtensions));
    for (const { file } of images) yield { file };
    const error = `${path}: expected images (${defaultExtensions.join(', ')}) in the folder, found none.`;
    if (images.length === 0) yield { file: path, error };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    yield { file: path, error: error.message };
  }
}

async function* linesOf(file: string, stdin: Readable): AsyncGenerator<string> {
  const input = file === standardInput ? stdin : await openList(file);
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

async function openList(file: string): Promise<Readable> {
  try {
    return (await open(file)).createReadStream();
  } catch (cause) {
    const message = `The list of images ${file} cannot be read: ${(cause as Error).message}.`;
    throw new ConfigError(message, { argument: '--files-from', file }, { cause });
  }
}

/** Groups of at most `most` items, in their order; a group does not wait longer than `patience` milliseconds for more items. */
export async function* inGroups<T>(items: AsyncIterator<T>, most: number, patience: number): AsyncGenerator<T[]> {
  let next = items.next();
  for (let result = await next; !result.done; result = await next) {
    const group = [result.value];
    const enough = delay(patience, undefined, { ref: false });
    next = items.next();
    while (group.length < most) {
      const more = await Promise.race([next, enough]);
      if (!more || more.done) break;
      group.push(more.value);
      next = items.next();
    }
    next.catch(() => {}); // it is thrown where it is awaited
    yield group;
  }
}
