// Builds what a config describes: net, data, trainer, the options of `fit`.
import type { NetRecord } from '../cli/net-record.js';
import { DataLoader } from '../data/data-loader.js';
import type { LoaderDataset } from '../data/loader-options.js';
import { type Device, setTuning } from '../device.js';
import { Xavier } from '../init/index.js';
import { loadWeights, type Normalization } from '../interop/index.js';
import { byName } from '../models/index.js';
import type { Block } from '../nn/index.js';
import { Trainer } from '../optim/index.js';
import { seed } from '../tensor/random.js';
import type { FitOptions } from '../train/index.js';
import { choosePrecision } from './choose-precision.js';
import { type DataSets, dataSets } from './data-sets.js';
import { chapterModel } from './defaults.js';
import { normalizationOf, resizeOf, testTransforms, trainTransforms } from './image-transforms.js';
import { schedulerOf } from './schedule.js';
import type { TrainConfig } from './train-config.js';

export interface BuildRunOptions {
  device: Device;
  /** Called with the initialised net before the trainer is made, in place of the loading of the config's weights. */
  prepareNet?: (net: Block) => Promise<void>;
}

export interface BuiltRun {
  net: Block;
  /** What tells how to build the net again and what it takes. */
  record: NetRecord;
  trainer: Trainer;
  train: DataLoader<LoaderDataset>;
  /** Not shuffled, not augmented; null where there are no such images. */
  validation: DataLoader<LoaderDataset> | null;
  /** The data set's own test images, without any those of `validation`. */
  testSet: LoaderDataset | null;
  /** All but checkpoints, resumption, handlers and the signal: those are the caller's. */
  fitOptions: FitOptions;
}

/**
 * Builds a resolved config on a device: reads the data, seeds the generator, makes loaders, net and trainer. The caller disposes the loaders
 * (their worker threads). Throws ConfigError, DataError, CheckpointError (weights), DTypeError (precision that the device lacks).
 */
export async function buildRun(config: TrainConfig, { device, prepareNet }: BuildRunOptions): Promise<BuiltRun> {
  const precision = choosePrecision(config.precision, device);
  setTuning(config.tune);
  const sets = await dataSets(config);
  const [channels, classes] = [channelsOf(sets.train), sets.train.classNames.length];
  const normalization = normalizationOf(config, channels);
  seed(config.seed); // the loader takes the first stream, the net the following ones
  const { train, validation } = loadersOf(config, sets, normalization, device);
  try {
    const record = recordOf(config, { channels, classNames: sets.train.classNames, normalization });
    const net = netOf(config, channels, classes);
    net.initialize({ init: config.model === chapterModel ? new Xavier() : undefined, device });
    if (!config.optimizer.decayNorm) net.collectParams(/(^|\.)(gamma|beta|bias)$/).setattr('wdMult', 0);
    if (prepareNet) await prepareNet(net);
    else if (config.weights !== null) await loadWeights(net, config.weights);
    const trainer = trainerOf(config, net, train.length);
    const fitOptions = { ...fitOptionsOf(config, train, validation), device, precision };
    return { net, record, trainer, train, validation, testSet: sets.test, fitOptions };
  } catch (error) {
    await Promise.all([train.dispose(), validation?.dispose()]);
    throw error;
  }
}

const channelsOf = (set: LoaderDataset): number => ('channels' in set ? set.channels : set.shape[0]);

function loadersOf(
  config: TrainConfig,
  sets: DataSets,
  normalization: Normalization | undefined,
  device: Device,
): { train: DataLoader<LoaderDataset>; validation: DataLoader<LoaderDataset> | null } {
  const { batchSize, data } = config;
  const resize = data.name.startsWith('folder:') ? undefined : data.size;
  const common = { batchSize, workers: data.workers, resize, device };
  return {
    train: new DataLoader(sets.train, {
      ...common,
      shuffle: true,
      balanced: data.balanced,
      transform: trainTransforms(config, sets.train, normalization),
    }),
    validation:
      sets.validation &&
      new DataLoader(sets.validation, { ...common, transform: testTransforms(config, sets.validation, normalization) }),
  };
}

function netOf({ model, modelOptions }: TrainConfig, channels: number, classes: number): Block {
  const isChapter = model === chapterModel; // which takes any number of channels
  return byName(model, isChapter ? { ...modelOptions, classes } : { ...modelOptions, classes, inChannels: channels });
}

function recordOf(
  config: TrainConfig,
  images: { channels: number; classNames: readonly string[]; normalization: Normalization | undefined },
): NetRecord {
  const { model, modelOptions, data } = config;
  const { channels, classNames, normalization } = images;
  return {
    model,
    stem: modelOptions.stem,
    options: modelOptions,
    classes: classNames.length,
    inputShape: [channels, data.size, data.size],
    resize: resizeOf(config),
    classNames,
    normalization,
  };
}

function trainerOf(config: TrainConfig, net: Block, batches: number): Trainer {
  const { name, learningRate, momentum, nesterov, beta1, beta2, epsilon, weightDecay, clipNorm } = config.optimizer;
  const common = {
    learningRate,
    wd: weightDecay,
    clipNorm: clipNorm ?? undefined,
    lrScheduler: schedulerOf(config, Math.ceil(batches / config.accumulate)),
  };
  const parameters = net.collectParams();
  return name === 'adamw'
    ? new Trainer(parameters, 'adamw', { ...common, beta1, beta2, epsilon })
    : new Trainer(parameters, 'sgd', { ...common, momentum, nesterov });
}

function fitOptionsOf(
  config: TrainConfig,
  train: DataLoader<LoaderDataset>,
  validation: DataLoader<LoaderDataset> | null,
): FitOptions {
  const { epochs, accumulate, labelSmoothing, averageDecay, mixup, onNan } = config;
  return {
    train,
    validation: validation ?? undefined,
    epochs,
    accumulate,
    labelSmoothing,
    averageDecay: averageDecay ?? undefined,
    mixup: mixup === null ? undefined : { alpha: mixup, seed: config.seed },
    onNan,
  };
}
