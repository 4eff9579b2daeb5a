// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): where its files are looked for, and that they are the canonical ones.
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../device.js';
import { DataError } from '../errors.js';
import { checkBoolean, checkInteger, checkOptions, type Size2d } from '../options.js';
import { DataLoader } from './data-loader.js';
import type { Dataset } from './dataset.js';
import { idxDataset } from './idx-dataset.js';

/** The text labels of the ten classes, by class number. */
export const fashionMnistLabels: readonly string[] = Object.freeze([
  't-shirt',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
]);

interface Part {
  count: number;
  images: { name: string; sha256: string };
  labels: { name: string; sha256: string };
}

// Digests of the uncompressed IDX contents.
const trainPart: Part = {
  count: 60_000,
  images: {
    name: 'train-images-idx3-ubyte',
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  },
  labels: {
    name: 'train-labels-idx1-ubyte',
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  },
};
const testPart: Part = {
  count: 10_000,
  images: {
    name: 't10k-images-idx3-ubyte',
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  },
  labels: {
    name: 't10k-labels-idx1-ubyte',
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
};

export interface FashionMnistOptions {
  /** The 60,000 training images, or the 10,000 test images. */
  train: boolean;
  /** The folder of the IDX files. Where it is given, no other is looked at. */
  root?: string;
}

/**
 * Fashion-MNIST: one-channel images of 28 x 28 pixels in ten classes. The files (`train-images-idx3-ubyte.gz`, ..., also without
 * `.gz`) are looked for in `root`, or else in RESIDUA_DATA, /usr/share/datasets/fashion-mnist (Debian's package
 * dataset-fashion-mnist) and ~/.residua/datasets/fashion-mnist. Throws DataError: no files (with every folder looked at),
 * damaged files, contents that are not the canonical ones.
 */
export async function fashionMnist(options: FashionMnistOptions): Promise<Dataset> {
  checkOptions('fashionMnist()', options, ['train', 'root']);
  checkBoolean('fashionMnist()', 'train', options.train);
  const part = options.train ? trainPart : testPart;
  const files = await findFiles(part, fashionMnistFolders(options.root));
  return idxDataset(files.images, files.labels, {
    classNames: fashionMnistLabels,
    images: { dims: [part.count, 28, 28], sha256: part.images.sha256 },
    labels: { dims: [part.count], sha256: part.labels.sha256 },
  });
}

/** The folders in which the files are looked for, first one first. */
export function fashionMnistFolders(root?: string): string[] {
  if (root !== undefined) return [root, join(root, 'fashion-mnist')];
  const named = process.env.RESIDUA_DATA;
  return [
    ...(named ? [named, join(named, 'fashion-mnist')] : []),
    '/usr/share/datasets/fashion-mnist',
    join(homedir(), '.residua', 'datasets', 'fashion-mnist'),
  ];
}

/** The files of a part in the first folder that has any of them. */
async function findFiles(part: Part, folders: readonly string[]): Promise<{ images: string; labels: string }> {
  for (const folder of folders) {
    const images = await existing(folder, part.images.name);
    const labels = await existing(folder, part.labels.name);
    if (images && labels) return { images, labels };
    if (!images && !labels) continue;
    const file = join(folder, `${images ? part.labels.name : part.images.name}.gz`);
    throw new DataError(`Fashion-MNIST is incomplete: ${images ?? labels} is there, but ${file} is missing.`, {
      file,
      expected: 'a file',
      found: 'none',
    });
  }
  throw new DataError(
    `Fashion-MNIST was not found: no ${part.images.name}.gz (or without .gz) in any of\n${folders.map((f) => `  ${f}`).join('\n')}\n` +
      "Install it with 'apt-get install dataset-fashion-mnist' (Debian, Ubuntu), or put the four files into a folder and name it in RESIDUA_DATA.",
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

export interface LoadFashionMnistOptions {
  /** Side of the square images after bilinear resizing, or [height, width]. Default: 28, as they are. */
  resize?: Size2d;
  /** As in `fashionMnist`. */
  root?: string;
  /** Whether the training images come in a new order each epoch. Default true. The test images never do. */
  shuffle?: boolean;
  /** Where the batches are made. Default: the default device. */
  device?: Device;
  /** As in `DataLoader`. */
  resident?: boolean | 'auto';
  /** Only the first `limit` training images, and a sixth as many test images. */
  limit?: number;
}

/** Loaders of the training and the test images: the chapter's `load_data_fashion_mnist`. */
export async function loadDataFashionMnist(
  batchSize: number,
  options: LoadFashionMnistOptions = {},
): Promise<[DataLoader, DataLoader]> {
  checkOptions('loadDataFashionMnist()', options, ['resize', 'root', 'shuffle', 'device', 'resident', 'limit']);
  const { resize, root, shuffle = true, device, resident, limit } = options;
  if (limit !== undefined) checkInteger('loadDataFashionMnist()', 'limit', limit, 1);
  let train = await fashionMnist({ train: true, root });
  let test = await fashionMnist({ train: false, root });
  if (limit !== undefined) {
    train = train.take(limit);
    test = test.take(Math.ceil(limit / 6));
  }
  return [
    new DataLoader(train, { batchSize, shuffle, resize, device, resident }),
    new DataLoader(test, { batchSize, resize, device, resident }),
  ];
}
