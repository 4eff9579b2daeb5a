// The options of the DataLoader: what they are, their defaults and checks.
import { currentDevice, Device } from '../device.js';
import { ConfigError, DataError } from '../errors.js';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  checkPair,
  type Size2d,
} from '../options.js';
import { randomStream } from '../tensor/random.js';
import type { LastBatch, PlanOptions } from './batch-plan.js';
import type { Dataset } from './dataset.js';
import { ImageFiles } from './image-files.js';
import { residesByDefault } from './resident-batches.js';
import { splitTransforms, type TransformPlan } from './transforms/plan.js';
import type { Size, Transform } from './transforms/transform.js';

export interface DataLoaderOptions {
  /** Images in a batch. */
  batchSize: number;
  /** Whether the images come in a new random order each epoch. Default false. */
  shuffle?: boolean;
  /**
   * Whether every class is drawn equally often, rare ones by repetition, in an epoch of as many images as the data set has.
   * Needs `shuffle`. Default false.
   */
  balanced?: boolean;
  /** A last batch that is not full is kept (default), discarded, or its images come first in the next epoch. */
  lastBatch?: LastBatch;
  /** How many batches are prepared ahead of the one in use. Default 2. */
  prefetch?: number;
  /** Seed of the shuffle and of the transforms. Default: a stream of the global generator (see `seed`). */
  seed?: number;
  /**
   * What is done to each image, in order (`data.transforms`); `normalize` may only come last. Random choices depend on the seed,
   * the epoch and the sample's place in it alone. Image files need one that makes them all the same size, or `resize`.
   */
  transform?: Transform | readonly Transform[];
  /**
   * Threads that read and transform images. Default 0: files are decoded by libuv's threads, transforms run on this one. Has no
   * influence on the batches. Without transforms of images in memory there is nothing to do for them, and none are started.
   */
  workers?: number;
  /**
   * Bilinear resize (half-pixel centres) to this square side, or to [height, width], after the transforms. Image files are resized with
   * antialiasing (`transforms.resize`), images in memory without. Default: none.
   */
  resize?: Size2d;
  /** Where the batches are made. Default: the default device. */
  device?: Device;
  /**
   * Whether the data set's bytes are copied to the device once, for all loaders, and batches are made there: the same batches. Not for
   * image files, nor with transforms other than `normalize`. 'auto' (default): on a GPU, where they take less than a quarter of its free
   * memory.
   */
  resident?: boolean | 'auto';
}

/** A data set that the DataLoader takes: images in memory, or image files. */
export type LoaderDataset = Dataset | ImageFiles;

/** What the options amount to. */
export interface LoaderPlan {
  batchSize: number;
  prefetch: number;
  device: Device;
  workers: number;
  resident: boolean;
  rows: PlanOptions;
  channels: number;
  transforms: TransformPlan;
  /** Size of the batches' images. */
  size: Size;
  /** Where the transforms' random numbers come from. */
  random: { seed: number; stream: number };
}

const where = 'DataLoader()';
const maxElements = 2 ** 31 - 1;
const maxWorkers = 64;
const names = [
  ...['batchSize', 'shuffle', 'balanced', 'lastBatch', 'prefetch', 'seed', 'transform', 'workers', 'resize', 'device'],
  'resident',
];

/** Checks everything. Throws ConfigError (options) and DataError (the data set). */
export function planLoader(dataset: LoaderDataset, options: DataLoaderOptions): LoaderPlan {
  checkOptions(where, options, names);
  const {
    lastBatch = 'keep',
    prefetch = 2,
    device = currentDevice(),
    workers = 0,
    resize,
    resident = 'auto',
  } = options;
  const channels = checkDataset(dataset);
  const batchSize = checkInteger(where, 'batchSize', options.batchSize, 1);
  checkChoice(where, 'lastBatch', lastBatch, ['keep', 'discard', 'rollover']);
  checkNumber(where, 'prefetch', checkInteger(where, 'prefetch', prefetch, 0), { max: 64 });
  checkNumber(where, 'workers', checkInteger(where, 'workers', workers, 0), { max: maxWorkers });
  if (!(device instanceof Device))
    throw new ConfigError(`DataLoader() expected device to be a Device such as cpu(), got ${String(device)}.`, {
      device,
    });
  const inMemory = dataset instanceof ImageFiles ? undefined : ([dataset.shape[1], dataset.shape[2]] as const);
  const resizeTo = resize === undefined ? undefined : checkPair(where, 'resize', resize, 1);
  const transforms = splitTransforms(options.transform ?? [], { channels, size: inMemory, resize: resizeTo });
  const plan: LoaderPlan = {
    batchSize,
    prefetch,
    device,
    workers,
    resident: decideResident(resident, dataset, transforms, device),
    channels,
    transforms,
    size: resizeTo ?? transforms.size,
    ...planRandom(dataset, { ...options, lastBatch }),
  };
  checkBatchElements(plan, lastBatch);
  return plan;
}

/** The order of rows and the numbers of the transforms, from one seed. */
function planRandom(dataset: LoaderDataset, options: DataLoaderOptions): Pick<LoaderPlan, 'rows' | 'random'> {
  const { batchSize, shuffle = false, balanced = false, lastBatch = 'keep', seed } = options;
  checkBoolean(where, 'shuffle', shuffle);
  checkBoolean(where, 'balanced', balanced);
  if (balanced && !shuffle) {
    throw new ConfigError(
      'DataLoader() expected shuffle to be true where balanced is: the images are drawn at random.',
      {
        argument: 'balanced',
      },
    );
  }
  if (seed !== undefined) checkInteger(where, 'seed', seed, 0);
  const rows: PlanOptions = { count: dataset.length, batchSize, lastBatch };
  const needsNumbers = shuffle || [options.transform ?? []].flat().length > 0;
  const taken = seed !== undefined ? { seed, stream: 0 } : needsNumbers ? randomStream() : { seed: 0, stream: 0 };
  if (shuffle) rows.shuffle = taken;
  if (balanced) rows.balance = dataset.labels;
  return { rows, random: taken };
}

function decideResident(resident: unknown, dataset: LoaderDataset, transforms: TransformPlan, device: Device): boolean {
  if (resident !== 'auto' && typeof resident !== 'boolean') {
    throw new ConfigError(`DataLoader() expected resident to be true, false or 'auto', got ${String(resident)}.`, {
      argument: 'resident',
      found: resident,
    });
  }
  const onHost = dataset instanceof ImageFiles || transforms.host.length > 0;
  if (resident === true && onHost) {
    throw new ConfigError(
      'DataLoader() expected resident to be false or absent for image files and with transforms: those run on the host.',
      { argument: 'resident' },
    );
  }
  if (dataset instanceof ImageFiles || onHost) return false;
  return resident === 'auto' ? residesByDefault(dataset, device) : resident;
}

function checkBatchElements({ batchSize, rows, channels, size }: LoaderPlan, lastBatch: LastBatch): void {
  const most = lastBatch === 'rollover' ? batchSize : Math.min(batchSize, rows.count);
  const elements = most * channels * size[0] * size[1];
  if (elements <= maxElements) return;
  throw new ConfigError(
    `DataLoader() expected a batch of at most ${maxElements} elements, got ${most} x ${channels} x ${size.join(' x ')}; use a smaller batchSize or resize.`,
    { elements, batchSize, size },
  );
}

/** The number of channels of a data set that is one. */
function checkDataset(dataset: LoaderDataset): number {
  if (dataset instanceof ImageFiles) {
    checkNotEmpty(dataset.length);
    return dataset.channels;
  }
  const { length, shape, images, labels } = dataset ?? {};
  if (!Number.isSafeInteger(length) || !Array.isArray(shape) || shape.length !== 3) {
    throw new ConfigError(
      'DataLoader() expected a data set with length, images, shape [channels, height, width] and labels; see ArrayDataset.',
    );
  }
  checkNotEmpty(length);
  const pixels = length * shape.reduce((n, d) => n * d, 1);
  if (images?.length !== pixels || labels?.length !== length) {
    throw new DataError(
      `DataLoader() expected ${pixels} pixels and ${length} labels for ${length} images of shape [${shape.join(', ')}], got ${images?.length} and ${labels?.length}.`,
      { expected: [pixels, length], found: [images?.length, labels?.length] },
    );
  }
  return dataset.shape[0];
}

function checkNotEmpty(length: number): void {
  if (length > 0) return;
  throw new DataError('DataLoader() expected a data set with at least one image, got an empty one.', {
    expected: 'at least 1 image',
    found: 0,
  });
}
