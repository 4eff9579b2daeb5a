// CIFAR-10 and CIFAR-100 (Krizhevsky 2009), binary version: records of one or two label bytes and 3 x 32 x 32 pixels.
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError } from '../errors.js';
import { checkBoolean, checkChoice, checkOptions } from '../options.js';
import { cifar10Labels, cifar100CoarseLabels, cifar100Labels } from './cifar-names.js';
import { dataFolders, folderWith } from './data-folders.js';
import { ArrayDataset, type Dataset } from './dataset.js';
import { downloadFile } from './download.js';
import type { Download } from './idx-collection.js';
import { extractTarGz } from './tar.js';

interface CifarFiles {
  title: string;
  folder: string;
  train: readonly string[];
  test: readonly string[];
  archive: string;
  md5: string;
  /** Label bytes before the pixels of each record. */
  labelBytes: number;
}

const host = 'https://www.cs.toronto.edu/~kriz';
const imageBytes = 3 * 32 * 32;

const cifar10Files: CifarFiles = {
  title: 'CIFAR-10',
  folder: 'cifar-10-batches-bin',
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ['test_batch.bin'],
  archive: 'cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  labelBytes: 1,
};

const cifar100Files: CifarFiles = {
  title: 'CIFAR-100',
  folder: 'cifar-100-binary',
  train: ['train.bin'],
  test: ['test.bin'],
  archive: 'cifar-100-binary.tar.gz',
  md5: '03b5dce01913d631647c71ecec9e9cb8',
  labelBytes: 2,
};

export interface CifarOptions {
  /** The 50,000 training images, or the 10,000 test images. */
  train: boolean;
  /** The folder of the `.bin` files, or the one around it. Where it is given, no other is looked at. */
  root?: string;
  /** Whether missing files are downloaded (170 MB), into the root, RESIDUA_DATA or ~/.residua/datasets. Default false. */
  download?: Download;
}

/**
 * CIFAR-10: images of 3 x 32 x 32 pixels in ten classes. The files of the binary version (`data_batch_1.bin`, ...) are looked for in
 * `root`, or else in RESIDUA_DATA and ~/.residua/datasets, in a folder `cifar-10-batches-bin`. Throws DataError: no files (with every folder
 * looked at), wrong sizes, labels out of range, classes of other sizes than the canonical ones, downloads that fail.
 */
export async function cifar10(options: CifarOptions): Promise<Dataset> {
  checkOptions('cifar10()', options, ['train', 'root', 'download']);
  checkBoolean('cifar10()', 'train', options.train);
  return load(cifar10Files, options, cifar10Labels, 0);
}

export interface Cifar100Options extends CifarOptions {
  /** The 100 classes (default), or the 20 groups of them. */
  labels?: 'fine' | 'coarse';
}

/** CIFAR-100: as `cifar10`, with 100 classes in 20 groups. Its folder is `cifar-100-binary`, its files `train.bin` and `test.bin`. */
export async function cifar100(options: Cifar100Options): Promise<Dataset> {
  checkOptions('cifar100()', options, ['train', 'root', 'download', 'labels']);
  checkBoolean('cifar100()', 'train', options.train);
  const labels = checkChoice('cifar100()', 'labels', options.labels ?? 'fine', ['fine', 'coarse']);
  // A record begins with the coarse label, then the fine one.
  return labels === 'fine'
    ? load(cifar100Files, options, cifar100Labels, 1)
    : load(cifar100Files, options, cifar100CoarseLabels, 0);
}

/** `labelAt`: which of the label bytes counts. */
async function load(
  files: CifarFiles,
  { train, root, download = false }: CifarOptions,
  classNames: readonly string[],
  labelAt: number,
): Promise<Dataset> {
  const names = train ? files.train : files.test;
  const folders = dataFolders(files.folder, root);
  let folder = await folderWith(names, folders);
  if (!folder && download) folder = await fetchArchive(files, folders[0] as string, download);
  if (!folder) throw notFound(files, names, folders);
  const count = (train ? 50_000 : 10_000) / names.length; // of each file
  const images = new Uint8Array(count * names.length * imageBytes);
  const labels = new Uint8Array(count * names.length);
  for (const [i, name] of names.entries()) {
    const records = await readRecords(join(folder, name), count * (files.labelBytes + imageBytes));
    for (let row = 0; row < count; row++) {
      const at = row * (files.labelBytes + imageBytes);
      const label = records[at + labelAt] as number;
      if (label >= classNames.length) throw labelError(join(folder, name), at + labelAt, classNames.length, label);
      labels[i * count + row] = label;
      const pixels = records.subarray(at + files.labelBytes, at + files.labelBytes + imageBytes);
      images.set(pixels, (i * count + row) * imageBytes);
    }
  }
  checkClassSizes(files, folder, labels, classNames);
  return new ArrayDataset({ images, labels, shape: [3, 32, 32], classNames });
}

async function readRecords(file: string, expected: number): Promise<Uint8Array> {
  const records = await readFile(file).catch((cause: Error) => {
    throw new DataError(`${file} cannot be read: ${cause.message}.`, { file, expected: 'a readable file' }, { cause });
  });
  if (records.length === expected) return records;
  throw new DataError(`${file} has a wrong size: expected ${expected} bytes, found ${records.length}.`, {
    file,
    offset: Math.min(records.length, expected),
    expected,
    found: records.length,
  });
}

/** In both parts of both data sets all classes are of one size. */
function checkClassSizes(
  { title }: CifarFiles,
  folder: string,
  labels: Uint8Array,
  classNames: readonly string[],
): void {
  const counts = classNames.map(() => 0);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  const expected = labels.length / classNames.length;
  const wrong = counts.findIndex((count) => count !== expected);
  if (wrong < 0) return;
  throw new DataError(
    `${folder} does not hold the canonical ${title}: expected ${expected} images of each class, found ${counts[wrong]} of '${classNames[wrong]}'.`,
    { file: folder, expected, found: counts[wrong] },
  );
}

/** Downloads the archive and unpacks it into `folder`. */
async function fetchArchive(files: CifarFiles, folder: string, download: Download): Promise<string> {
  const { from = host, ...options } = typeof download === 'object' ? download : { progress: true };
  const archive = join(dirname(folder), files.archive);
  await downloadFile(`${from.replace(/\/$/, '')}/${files.archive}`, archive, { ...options, md5: files.md5 });
  await extractTarGz(archive, folder, [...files.train, ...files.test]);
  await rm(archive);
  return folder;
}

function notFound({ title, archive }: CifarFiles, names: readonly string[], folders: readonly string[]): DataError {
  return new DataError(
    `${title} was not found: no ${names.join(', ')} in any of ${folders.join(', ')}. ` +
      `Download it with { download: true } (residua train --download), or unpack ${host}/${archive} into a folder and name it in RESIDUA_DATA.`,
    { file: names[0], folders, expected: 'files', found: 'none' },
  );
}

function labelError(file: string, offset: number, classes: number, found: number): DataError {
  return new DataError(`${file}, byte ${offset}: expected a label from 0 to ${classes - 1}, found ${found}.`, {
    file,
    offset,
    expected: `a label from 0 to ${classes - 1}`,
    found,
  });
}
