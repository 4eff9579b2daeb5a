// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): where its files are looked for, and that they are the canonical ones.
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../device.js';
import { checkBoolean, checkInteger, checkOptions, type Size2d } from '../options.js';
import { dataFolders } from './data-folders.js';
import { DataLoader } from './data-loader.js';
import type { Dataset } from './dataset.js';
import { type Download, type IdxCollection, loadIdxPart } from './idx-collection.js';

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

const fashionMnistFiles: IdxCollection = {
  title: 'Fashion-MNIST',
  classNames: fashionMnistLabels,
  train: {
    count: 60_000,
    images: {
      name: 'train-images-idx3-ubyte',
      sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
      md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
      md5: '25c81989df183df01b3e8a0aad5dffbe',
    },
  },
  test: {
    count: 10_000,
    images: {
      name: 't10k-images-idx3-ubyte',
      sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
      md5: 'bef4ecab320f06d8554ea6380940ec79',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
      md5: 'bb300cfdad3c16e7a12a480ee83cd310',
    },
  },
  hosts: ['http://fashion-mnist.s3-website.eu-central-1.amazonaws.com'],
  remedy:
    "Install it with 'apt-get install dataset-fashion-mnist' (Debian, Ubuntu), download it with { download: true } (residua train --download), or put the four files into a folder and name it in RESIDUA_DATA.",
};

export interface FashionMnistOptions {
  /** The 60,000 training images, or the 10,000 test images. */
  train: boolean;
  /** The folder of the IDX files. Where it is given, no other is looked at. */
  root?: string;
  /** Whether missing files are downloaded (31 MB), into `fashion-mnist` in the root, RESIDUA_DATA or ~/.residua/datasets. Default false. */
  download?: Download;
}

/**
 * Fashion-MNIST: one-channel images of 28 x 28 pixels in ten classes. The files (`train-images-idx3-ubyte.gz`, ..., also without
 * `.gz`) are looked for in `root`, or else in RESIDUA_DATA, /usr/share/datasets/fashion-mnist (Debian's package
 * dataset-fashion-mnist) and ~/.residua/datasets/fashion-mnist. Throws DataError: no files (with every folder looked at),
 * damaged files, contents that are not the canonical ones, downloads that fail.
 */
export async function fashionMnist(options: FashionMnistOptions): Promise<Dataset> {
  checkOptions('fashionMnist()', options, ['train', 'root', 'download']);
  const { train, root, download = false } = options;
  checkBoolean('fashionMnist()', 'train', train);
  const target = dataFolders('fashion-mnist', root)[0] as string;
  return loadIdxPart(fashionMnistFiles, train, fashionMnistFolders(root), download, target);
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
