// What a training run is made of: the shape of a config file, and of `config.json` in a run's folder once every default is filled in.
import type { ModelOptions } from '../models/index.js';
import type { Precision } from '../precision.js';

/** 'fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'synthetic', or 'folder:PATH' with a folder of images in each class's folder. */
export type DataName = 'fashion-mnist' | 'mnist' | 'cifar10' | 'cifar100' | 'synthetic' | `folder:${string}`;

export interface DataConfig {
  name: DataName;
  /** Folder of the files of a known data set. Null: RESIDUA_DATA, then the usual places. */
  root: string | null;
  /** Pixels of the side of the images that enter the net. */
  size: number;
  /** Share of the training images that are kept for validation, from 0 to 1. Null: the data set's own test images (`val`, `test` of a folder). */
  validation: number | null;
  /** Only so many training images, and test images in proportion: the first ones, or evenly spaced ones of a folder. Null: all. */
  limit: number | null;
  /** Every class is drawn equally often. */
  balanced: boolean;
  /** Threads that read and transform images. */
  workers: number;
  /** What a broken image leads to. */
  onBroken: 'error' | 'skip';
  /** Whether missing files of a known data set are downloaded. */
  download: boolean;
}

/** What happens to training images; null: not done. */
export interface AugmentConfig {
  flip: boolean;
  /** Pixels of padding before a random crop of the image's own size. */
  crop: number | null;
  /** [smallest, largest] part of the area of a random crop that is resized. */
  randomResizedCrop: readonly [number, number] | null;
  colorJitter: { brightness: number; contrast: number; saturation: number; hue: number } | null;
  /** Pixels of the side of a square that is blanked. */
  cutout: number | null;
}

export interface ScheduleConfig {
  name: 'constant' | 'step' | 'multi-step' | 'cosine' | 'polynomial' | 'one-cycle';
  /** Epochs of linear warm-up from `warmupFrom` times the learning rate, or of the rise of 'one-cycle'; may be a fraction. */
  warmup: number;
  warmupFrom: number;
  /** 'step': epochs between two decays; 'multi-step': the epochs after which the rate decays. */
  at: number | readonly number[] | null;
  /** What a decay multiplies the rate by. */
  factor: number;
  /** Exponent of 'polynomial'. */
  power: number;
  /** The rate at the end, as a part of the learning rate ('cosine', 'polynomial', 'one-cycle'). */
  final: number;
}

export interface OptimizerConfig {
  name: 'sgd' | 'adamw';
  learningRate: number;
  /** Of sgd; 0 for others. */
  momentum: number;
  nesterov: boolean;
  /** Of adamw, as the next two: what the means of the gradients, and of their squares, keep at each step. */
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Whether biases and BatchNorm's gamma and beta decay too. */
  decayNorm: boolean;
  /** The largest norm of all gradients together; null: no clipping. */
  clipNorm: number | null;
}

export interface CheckpointConfig {
  keepLast: number;
  everySteps: number | null;
  everyEpochs: number;
}

/** What a config tells of a net: classes and channels are those of the data. */
export type NetOptions = Omit<ModelOptions, 'classes' | 'inChannels'>;

/** Everything about a run that is not the place where it is written. */
export interface TrainConfig {
  /** A name of `models.byName`. */
  model: string;
  /** Options of that model over what its name says. */
  modelOptions: NetOptions;
  /** A file of weights to begin from; null: drawn. */
  weights: string | null;
  data: DataConfig;
  augment: AugmentConfig;
  /** 'dataset': mean and standard deviation known for the data set; null: pixels are divided by 255 alone. */
  normalize: 'dataset' | 'imagenet' | { mean: readonly number[]; std: readonly number[] } | null;
  epochs: number;
  batchSize: number;
  /** Batches whose gradients are summed for one step. */
  accumulate: number;
  optimizer: OptimizerConfig;
  schedule: ScheduleConfig;
  labelSmoothing: number;
  /** Alpha of mixup's Beta distribution; null: no mixup. */
  mixup: number | null;
  /** Decay of the averaged weights (EMA); null: none. */
  averageDecay: number | null;
  /** Epochs without a better validation accuracy before the run ends; null: it does not. */
  earlyStopping: number | null;
  onNan: 'stop' | 'skip' | 'rollback';
  /** 'cpu', 'gpu' (the first one), 'gpu(N)'. Null: RESIDUA_DEVICE, else a GPU where one works, else the CPU. */
  device: string | null;
  /** Type of the activations. 'auto': bfloat16 where the device computes in it, else float32. */
  precision: Precision | 'auto';
  seed: number;
  /** Whether convolution algorithms are chosen by timing (CPU). */
  tune: boolean;
  checkpoint: CheckpointConfig;
  /** Whether TensorBoard event files are written. */
  tensorboard: boolean;
}

/** The config of a run that has begun: nothing is left to be chosen. */
export interface SettledConfig extends TrainConfig {
  device: string;
  precision: Precision;
}

/** Any part of a config. */
type Partly<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Partly<T[K]> } : T;

/**
 * What a config file, or a layer over it, says: any part of a TrainConfig. The name of the data, the schedule or the optimiser may
 * stand for the group.
 */
export type PartialTrainConfig = Omit<Partly<TrainConfig>, 'data' | 'schedule' | 'optimizer'> & {
  data?: DataName | Partly<DataConfig>;
  schedule?: ScheduleConfig['name'] | Partly<ScheduleConfig>;
  optimizer?: OptimizerConfig['name'] | Partly<OptimizerConfig>;
  /** Where editors find the schema. */
  $schema?: string;
};
