// Data sets that are published as four IDX files: MNIST and those made like it.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import type { Dataset } from './dataset.js';
import { type DownloadOptions, downloadFile } from './download.js';
import { idxDataset } from './idx-dataset.js';

interface IdxFile {
  name: string;
  /** Digest of the uncompressed content: gzip wrappers differ. */
  sha256: string;
  /** Digest of the published `.gz` file. */
  md5: string;
}

export interface IdxPart {
  count: number;
  images: IdxFile;
  labels: IdxFile;
}

export interface IdxCollection {
  title: string;
  classNames: readonly string[];
  train: IdxPart;
  test: IdxPart;
  /** Addresses of the folder that holds the `.gz` files, tried in turn. */
  hosts: readonly string[];
  /** How to get the files without a download by this library. */
  remedy: string;
}

/** Where to download from and how it is told; true for the defaults. */
export type Download = boolean | (Pick<DownloadOptions, 'progress' | 'attempts' | 'retryDelay'> & DownloadSource);

export interface DownloadSource {
  /** Address of a folder with the same files as the canonical host. */
  from?: string;
}

/** Reads a part from the first folder that has any of its files; where none has and it is asked for, they are downloaded into `target`. */
export async function loadIdxPart(
  collection: IdxCollection,
  train: boolean,
  folders: readonly string[],
  download: Download,
  target: string,
): Promise<Dataset> {
  const part = train ? collection.train : collection.test;
  let files = await findFiles(collection, part, folders);
  if (!files && download) {
    for (const file of [part.images, part.labels]) await downloadFrom(collection.hosts, file, target, download);
    files = await findFiles(collection, part, [target]);
  }
  if (!files) throw notFound(collection, part, folders);
  return idxDataset(files.images, files.labels, {
    classNames: collection.classNames,
    images: { dims: [part.count, 28, 28], sha256: part.images.sha256 },
    labels: { dims: [part.count], sha256: part.labels.sha256 },
  });
}

async function downloadFrom(hosts: readonly string[], { name, md5 }: IdxFile, target: string, download: Download) {
  const { from, ...options } = download === true || download === false ? { progress: true } : download;
  const candidates = from === undefined ? hosts : [from];
  for (const [i, host] of candidates.entries()) {
    try {
      return await downloadFile(`${host.replace(/\/$/, '')}/${name}.gz`, join(target, `${name}.gz`), {
        ...options,
        md5,
      });
    } catch (error) {
      if (i === candidates.length - 1) throw error;
    }
  }
}

/** The files of a part in the first folder that has any of them; a folder that has one of them alone is an error. */
async function findFiles(
  { title }: IdxCollection,
  part: IdxPart,
  folders: readonly string[],
): Promise<{ images: string; labels: string } | undefined> {
  for (const folder of folders) {
    const images = await existing(folder, part.images.name);
    const labels = await existing(folder, part.labels.name);
    if (images && labels) return { images, labels };
    if (!images && !labels) continue;
    const file = join(folder, `${images ? part.labels.name : part.images.name}.gz`);
    throw new DataError(`${title} is incomplete: ${images ?? labels} is there, but ${file} is missing.`, {
      file,
      expected: 'a file',
      found: 'none',
    });
  }
  return undefined;
}

function notFound({ title, remedy }: IdxCollection, part: IdxPart, folders: readonly string[]): DataError {
  return new DataError(
    `${title} was not found: no ${part.images.name}.gz (or without .gz) in any of ${folders.join(', ')}. ${remedy}`,
    { file: `${part.images.name}.gz`, folders, expected: 'a file', found: 'none' },
  );
}

/** The plain or gzipped file of that name, where there is one. */
async function existing(folder: string, name: string): Promise<string | undefined> {
  for (const file of [join(folder, `${name}.gz`), join(folder, name)]) {
    const found = await stat(file).catch(() => undefined);
    if (found) return file;
  }
  return undefined;
}
