// The defaults of a config that depend on the rest of it: on the device, the data and the model.
import { chooseDevice } from './choose-device.js';
import { imageFolders } from './image-folders.js';
import type { DataName, PartialTrainConfig, ScheduleConfig } from './train-config.js';

/** What layers tell, with short forms written out. */
export type GivenConfig = {
  [K in keyof PartialTrainConfig]: Exclude<
    PartialTrainConfig[K],
    K extends 'data' | 'schedule' | 'optimizer' ? string : never
  >;
};

export const chapterModel = 'chapter-resnet18';

/** Facts that defaults depend on. */
interface Situation {
  data: DataName;
  model: string;
  isChapter: boolean;
  isFolder: boolean;
  isGpu: boolean;
  given: GivenConfig;
}

/** The defaults for what is given; the others are in the table. */
export function defaultsFor(given: GivenConfig): GivenConfig {
  const data = given.data?.name ?? 'fashion-mnist';
  const model = given.model ?? defaultModel(data);
  const situation: Situation = {
    data,
    model,
    isChapter: model === chapterModel,
    isFolder: data.startsWith('folder:'),
    isGpu: chooseDevice(given.device ?? null).kind === 'gpu',
    given,
  };
  return {
    model,
    modelOptions: defaultModelOptions(situation),
    data: defaultData(situation),
    ...(situation.isChapter ? chapterDefaults(situation) : usualDefaults(situation)),
  };
}

function defaultModel(data: DataName): string {
  if (data === 'fashion-mnist' || data === 'mnist') return chapterModel;
  return data.startsWith('folder:') ? 'resnet18' : 'cifar-resnet20';
}

/** A stem for big images would leave nothing of small ones. */
function defaultModelOptions(situation: Situation): GivenConfig['modelOptions'] {
  const isSmall = sizeIn(situation) <= 64;
  return isSmall && !situation.isChapter ? { stem: 'cifar' } : {};
}

const sizeIn = (situation: Situation): number => situation.given.data?.size ?? defaultSize(situation);

function defaultSize({ data, isChapter, isFolder, isGpu }: Situation): number {
  if (isFolder) return 224;
  if (data === 'fashion-mnist' || data === 'mnist') return isChapter && isGpu ? 96 : 28;
  return 32;
}

function defaultData(situation: Situation): GivenConfig['data'] {
  const { data, isFolder } = situation;
  return {
    size: defaultSize(situation),
    validation: isFolder && imageFolders(data).test === null ? 0.2 : null,
    workers: isFolder ? 2 : 0,
    onBroken: isFolder ? 'skip' : 'error',
  };
}

/** "Dive into Deep Learning", section 7.6; on a CPU fewer epochs. */
function chapterDefaults({ isGpu, given }: Situation): GivenConfig {
  const epochs = isGpu ? 5 : 3;
  return {
    epochs,
    batchSize: 256,
    normalize: null,
    augment: { flip: false, crop: null, randomResizedCrop: null },
    optimizer:
      given.optimizer?.name === 'adamw' ? adamWDefaults(given) : { learningRate: 0.05, momentum: 0, weightDecay: 0 },
    schedule: defaultSchedule(given.schedule?.name ?? 'constant', given.epochs ?? epochs),
  };
}

/** The rate in proportion to the images of a step: Goyal et al., "Accurate, large minibatch SGD", 2017. */
function usualDefaults({ data, isFolder, given }: Situation): GivenConfig {
  const epochs = 10;
  const batchSize = isFolder ? 32 : 128;
  const stepImages = (given.batchSize ?? batchSize) * (given.accumulate ?? 1);
  const isCifar = data === 'cifar10' || data === 'cifar100';
  const resizedCrop = isFolder && given.augment?.crop == null;
  return {
    epochs,
    batchSize,
    normalize: 'dataset',
    augment: {
      flip: data !== 'mnist', // digits have a left and a right
      crop: isCifar ? 4 : data === 'fashion-mnist' || data === 'mnist' ? 2 : null,
      randomResizedCrop: resizedCrop ? [0.25, 1] : null,
    },
    optimizer:
      given.optimizer?.name === 'adamw'
        ? adamWDefaults(given)
        : { learningRate: ((given.weights ? 0.01 : 0.1) * stepImages) / 256, momentum: 0.9, weightDecay: 1e-4 },
    schedule: defaultSchedule(given.schedule?.name ?? 'cosine', given.epochs ?? epochs),
  };
}

/** PyTorch's; a tenth of the rate where weights are given. */
const adamWDefaults = ({ weights }: GivenConfig): GivenConfig['optimizer'] => ({
  learningRate: weights ? 1e-4 : 1e-3,
  momentum: 0,
  weightDecay: 0.01,
});

function defaultSchedule(name: ScheduleConfig['name'], epochs: number): GivenConfig['schedule'] {
  // PyTorch's OneCycleLR: pct_start 0.3, div_factor 25, final_div_factor 1e4.
  if (name === 'one-cycle') return { name, warmup: 0.3 * epochs, warmupFrom: 1 / 25, final: 1 / 25 / 1e4 };
  const decays = name === 'cosine' || name === 'polynomial';
  return { name, warmup: decays ? Math.min(5, epochs / 20) : 0, warmupFrom: 0, final: 0 };
}
