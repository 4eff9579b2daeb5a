// The data sets of a config: training images, those for validation, test images.
import { cifar10, cifar100 } from '../data/cifar.js';
import type { Dataset } from '../data/dataset.js';
import { fashionMnist } from '../data/fashion-mnist.js';
import type { ImageFiles } from '../data/image-files.js';
import { imageFolder } from '../data/image-folder.js';
import type { LoaderDataset } from '../data/loader-options.js';
import { mnist } from '../data/mnist.js';
import { split } from '../data/split.js';
import { syntheticInTurns } from '../data/synthetic.js';
import { DataError } from '../errors.js';
import { imageFolders } from './image-folders.js';
import type { DataConfig, TrainConfig } from './train-config.js';

export interface DataSets {
  train: LoaderDataset;
  /** What is evaluated after each epoch; null where there is nothing. */
  validation: LoaderDataset | null;
  /** The data set's own test images; without any those for validation. */
  test: LoaderDataset | null;
}

/** A data set as it comes: the part that validates may be one of its own. */
type OwnSets = DataSets;

const syntheticImages = { train: 1024, test: 256 };

/** Throws DataError: no files, damaged ones. */
export async function dataSets({ data, seed }: Pick<TrainConfig, 'data' | 'seed'>): Promise<DataSets> {
  const own = await ownSets(data);
  const { train, validation, test } = data.limit === null ? own : limited(own, data.limit);
  if (data.validation === null) return { train, validation, test };
  const [rest, part] = split<LoaderDataset>(train, data.validation, { seed });
  return { train: rest, validation: part, test: test ?? part };
}

async function ownSets(data: DataConfig): Promise<OwnSets> {
  if (data.name.startsWith('folder:')) return folderSets(data);
  if (data.name === 'synthetic') return syntheticSets(data);
  const read = { 'fashion-mnist': fashionMnist, mnist, cifar10, cifar100 }[data.name as 'mnist'];
  const options = { root: data.root ?? undefined, download: data.download };
  const train = await read({ ...options, train: true });
  const test = await read({ ...options, train: false });
  return { train, validation: test, test };
}

/** The classes are those of the training images. */
async function folderSets({ name, onBroken }: DataConfig): Promise<OwnSets> {
  const folders = imageFolders(name);
  const train = await imageFolder(folders.train, { onBroken });
  if (train.classNames.length < 2)
    throw new DataError(
      `${folders.train}: expected folders of at least 2 classes, found 1, '${train.classNames[0]}': a net would have nothing to tell apart.`,
      { file: folders.train, expected: 2, found: 1 },
    );
  const read = (folder: string): Promise<ImageFiles> => imageFolder(folder, { onBroken, classNames: train.classNames });
  const validation = folders.validation === null ? null : await read(folders.validation);
  const test = folders.test === null || folders.test === folders.validation ? validation : await read(folders.test);
  return { train, validation, test };
}

/** Both parts show the same ten pictures. */
async function syntheticSets({ size, limit }: DataConfig): Promise<OwnSets> {
  const train = limit ?? syntheticImages.train;
  const test = Math.ceil((train * syntheticImages.test) / syntheticImages.train);
  const all = await syntheticInTurns({ length: train + test, shape: [3, size, size] });
  const testSet = all.subset(Array.from({ length: test }, (_, i) => train + i));
  return { train: all.take(train), validation: testSet, test: testSet };
}

function limited({ train, validation, test }: OwnSets, limit: number): OwnSets {
  const part = Math.min(1, limit / train.length);
  const few = <D extends LoaderDataset | null>(set: D): D => set && (first(set, Math.ceil(set.length * part)) as D);
  const fewer = few(validation);
  return { train: first(train, limit), validation: fewer, test: test === validation ? fewer : few(test) };
}

/** The files of a folder lie class by class. */
function first(set: LoaderDataset, count: number): LoaderDataset {
  if ('images' in set) return (set as Dataset).take(count);
  const rows = Array.from({ length: Math.min(count, set.length) }, (_, i) =>
    Math.floor((i * set.length) / Math.min(count, set.length)),
  );
  return set.subset(rows);
}
