// MNIST (LeCun, Cortes and Burges 1998): handwritten digits, 28 x 28 pixels.
import { checkBoolean, checkOptions } from '../options.js';
import { dataFolders } from './data-folders.js';
import type { Dataset } from './dataset.js';
import { type Download, type IdxCollection, loadIdxPart } from './idx-collection.js';

const mnistFiles: IdxCollection = {
  title: 'MNIST',
  classNames: Object.freeze(Array.from({ length: 10 }, (_, digit) => String(digit))),
  train: {
    count: 60_000,
    images: {
      name: 'train-images-idx3-ubyte',
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      md5: 'f68b3c2dcbeaaa9fbdd348bbdeb94873',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      md5: 'd53e105ee54ea40749a09fcbcd1e9432',
    },
  },
  test: {
    count: 10_000,
    images: {
      name: 't10k-images-idx3-ubyte',
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      md5: '9fb629c4189551a2d022fa330f9573f3',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
      md5: 'ec29112dd5afa0611ce80d1b7f02629c',
    },
  },
  // The copies that its authors' page and PyTorch refer to.
  hosts: ['https://storage.googleapis.com/cvdf-datasets/mnist', 'https://ossci-datasets.s3.amazonaws.com/mnist'],
  remedy:
    'Download it with { download: true } (residua train --download), or put the four files into a folder named mnist and name the folder around it in RESIDUA_DATA.',
};

export interface MnistOptions {
  /** The 60,000 training images, or the 10,000 test images. */
  train: boolean;
  /** The folder of the IDX files, or the one around a folder `mnist`. Where it is given, no other is looked at. */
  root?: string;
  /** Whether missing files are downloaded (11 MB), into `mnist` in the root, RESIDUA_DATA or ~/.residua/datasets. Default false. */
  download?: Download;
}

/**
 * MNIST: one-channel images of 28 x 28 pixels, ten digits. The files (`train-images-idx3-ubyte.gz`, ..., also without `.gz`) are
 * looked for in `root`, or else in `mnist` in RESIDUA_DATA and in ~/.residua/datasets. Throws DataError: no files (with every folder
 * looked at), damaged files, contents that are not the canonical ones, downloads that fail.
 */
export async function mnist(options: MnistOptions): Promise<Dataset> {
  checkOptions('mnist()', options, ['train', 'root', 'download']);
  checkBoolean('mnist()', 'train', options.train);
  const folders = dataFolders('mnist', options.root);
  return loadIdxPart(mnistFiles, options.train, folders, options.download ?? false, folders[0] as string);
}
