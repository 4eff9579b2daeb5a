// Image folders: each folder that holds images is a class.
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ConfigError, DataError } from '../errors.js';
import { checkBoolean, checkChoice, checkOptions } from '../options.js';
import { decodeImage } from './image.js';
import { ImageFiles, type OnBroken } from './image-files.js';
import { Gate } from './sample.js';

export interface ImageFolderOptions {
  /** Extensions of image files, in any case. Default .jpg, .jpeg, .png and .webp. */
  extensions?: readonly string[];
  /**
   * How many folders deep a class name goes: 1 makes `cats/young/1.jpg` an image of the class 'cats'.
   * Default: all of them, which makes it one of 'cats/young'.
   */
  classDepth?: number;
  /** The classes, in the order of their numbers; so that two folders get the same numbers. Default: those found, sorted. */
  classNames?: readonly string[];
  /** 3 (default), or 1 for grey. */
  channels?: 1 | 3;
  /** What shows through transparent pixels: red, green, blue from 0 to 255. Default white. */
  background?: readonly [red: number, green: number, blue: number];
  /** Broken images end the epoch with a DataError ('error', default), are left out with a warning ('skip'), or told to a function. */
  onBroken?: OnBroken;
  /** Decode every image now, rather than when a batch needs it, so that broken ones are known beforehand and left out. Default false. */
  verify?: boolean;
}

export const defaultExtensions: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp'];

/**
 * The images in the folders under `root`. Classes are named by their folders' paths from there ('animals/cat') and numbered in sorted
 * order, as files are. Hidden files and files with other extensions are not looked at. Throws DataError: no such folder, no images,
 * images outside class folders alone, a class that `classNames` lacks; with `verify` and onBroken 'error' the first broken image.
 */
export async function imageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageFiles> {
  const where = 'imageFolder()';
  checkOptions(where, options, [
    'extensions',
    'classDepth',
    'classNames',
    'channels',
    'background',
    'onBroken',
    'verify',
  ]);
  const { extensions = defaultExtensions, classDepth = Number.POSITIVE_INFINITY, verify = false } = options;
  const { channels = 3, background, onBroken = 'error' } = options;
  if (typeof onBroken !== 'function') checkChoice(where, 'onBroken', onBroken, ['skip', 'error']);
  checkBoolean(where, 'verify', verify);
  if (channels !== 1 && channels !== 3)
    throw new ConfigError(`${where} expected channels to be 1 or 3, got ${channels}.`, { channels });
  if (classDepth !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(classDepth) || classDepth < 1)) {
    throw new ConfigError(`${where} expected classDepth to be an integer of at least 1, got ${classDepth}.`, {
      classDepth,
    });
  }
  const found = await findImages(root, new Set(extensions.map((e) => e.toLowerCase())));
  const inClasses = found.filter(({ folders }) => folders.length > 0);
  if (inClasses.length === 0) throw noImages(root, extensions, found.length);
  const classes = inClasses.map(({ folders }) => folders.slice(0, classDepth).join('/'));
  const classNames = options.classNames ?? [...new Set(classes)].sort();
  const dataset = new ImageFiles({
    files: inClasses.map(({ file }) => file),
    labels: labelsOf(root, classes, classNames),
    classNames,
    channels,
    background,
    onBroken,
  });
  return verify ? withoutBroken(dataset) : dataset;
}

interface FoundImage {
  file: string;
  /** Names of the folders from the root to the file. */
  folders: readonly string[];
}

/** All images under a folder, sorted by path. Links to folders are followed, but never in a circle. */
export async function findImages(root: string, extensions: ReadonlySet<string>): Promise<FoundImage[]> {
  const images: FoundImage[] = [];
  const visit = async (folder: string, folders: readonly string[], above: readonly string[]): Promise<void> => {
    const real = await realpath(folder);
    if (above.includes(real)) return;
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
    for (const name of names) {
      const path = join(folder, name);
      const entry = await stat(path).catch(() => undefined); // a link to nothing is not an image
      if (entry?.isDirectory()) await visit(path, [...folders, name], [...above, real]);
      else if (entry?.isFile() && extensions.has(extname(name).toLowerCase())) images.push({ file: path, folders });
    }
  };
  try {
    await visit(root, [], []);
  } catch (cause) {
    throw new DataError(
      `The image folder ${root} cannot be read: ${(cause as Error).message}.`,
      { file: root, expected: 'a folder of folders with images' },
      { cause },
    );
  }
  return images;
}

function noImages(root: string, extensions: readonly string[], outside: number): DataError {
  const reason =
    outside > 0
      ? `${outside} images lie in ${root} itself; move the images of each class into a folder of the class's name`
      : `no file there ends in ${extensions.join(', ')}`;
  return new DataError(`${root} has no folders with images: ${reason}.`, {
    file: root,
    expected: 'folders with images',
    found: outside,
  });
}

function labelsOf(root: string, classes: readonly string[], classNames: readonly string[]): number[] {
  const numbers = new Map(classNames.map((name, number) => [name, number]));
  return classes.map((name) => {
    const number = numbers.get(name);
    if (number !== undefined) return number;
    throw new DataError(`${join(root, name)} is not one of the classes: expected ${classNames.join(', ')}.`, {
      file: join(root, name),
      expected: classNames,
      found: name,
    });
  });
}

/** Decodes every image once; the data set of those that can be. */
async function withoutBroken(dataset: ImageFiles): Promise<ImageFiles> {
  const gate = new Gate();
  const errors = await Promise.all(
    dataset.files.map((file) =>
      gate.pass(async () => {
        try {
          await decodeImage(file);
          return undefined;
        } catch (error) {
          if (error instanceof DataError) return error;
          throw error;
        }
      }),
    ),
  );
  for (const error of errors) if (error) dataset.reportBroken(error);
  return dataset.subset([...errors.keys()].filter((row) => !errors[row]));
}
