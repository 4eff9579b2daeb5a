// Which folders of an image folder hold its training, validation and test images.
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DataName } from './train-config.js';

export interface ImageFolders {
  train: string;
  /** Null where there is none of its own. */
  validation: string | null;
  /** The test images, else those for validation; null where there are neither. */
  test: string | null;
}

/** 'train' with 'val' or 'test' beside it (or other names for these); else the folder itself has the classes. */
export function imageFolders(name: DataName): ImageFolders {
  const root = name.slice('folder:'.length);
  const first = (...names: string[]): string | null =>
    names.map((child) => join(root, child)).find((path) => isFolder(path)) ?? null;
  const validation = first('val', 'validation', 'valid');
  const test = first('test') ?? validation;
  const train = join(root, 'train');
  const isSplit = isFolder(train) && (test !== null || hasFolders(train));
  return isSplit ? { train, validation: validation ?? test, test } : { train: root, validation: null, test: null };
}

/** What the images that a net of this data is evaluated on are: of a folder without a part for that those kept for validation. */
export function evaluatedPart(name: DataName): 'test' | 'validation' {
  if (!name.startsWith('folder:')) return 'test';
  const { test } = imageFolders(name);
  return test !== null && basename(test) === 'test' ? 'test' : 'validation';
}

/** What cannot be looked at is none: reading the images tells why. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

const hasFolders = (path: string): boolean => readdirSync(path).some((name) => isFolder(join(path, name)));
