// What the command line says, as a layer of a config.
import type { PartialTrainConfig } from '../../config/index.js';
import type { None } from './option-values.js';
import type { TrainOptions } from './options.js';

/** Only what was given: it lies over the config file and the defaults. */
export function configFromOptions(options: TrainOptions): PartialTrainConfig {
  const layer: PartialTrainConfig | undefined = given({
    model: options.model,
    modelOptions: options.modelOption,
    weights: options.weights,
    data: given({
      name: options.data,
      root: options.dataRoot,
      size: options.size,
      validation: options.validation,
      limit: options.limit,
      balanced: options.balanced,
      workers: options.workers,
      onBroken: options.onBroken,
      download: options.download,
    }),
    augment: given({
      flip: options.flip,
      crop: options.crop,
      randomResizedCrop: options.randomResizedCrop,
      colorJitter: options.colorJitter,
      cutout: options.cutout,
    }),
    normalize: options.normalize,
    epochs: options.epochs,
    batchSize: options.batchSize,
    accumulate: options.accumulate,
    optimizer: given({
      name: options.optimizer,
      learningRate: options.lr,
      momentum: options.momentum,
      nesterov: options.nesterov,
      beta1: options.beta1,
      beta2: options.beta2,
      epsilon: options.epsilon,
      weightDecay: options.weightDecay,
      decayNorm: options.decayNorm,
      clipNorm: options.clipNorm,
    }),
    schedule: given({
      name: options.schedule,
      warmup: options.warmup,
      warmupFrom: options.warmupFrom,
      at: options.decayAt,
      factor: options.decayFactor,
      power: options.power,
      final: options.finalLr,
    }),
    labelSmoothing: options.labelSmoothing,
    mixup: options.mixup,
    averageDecay: options.averageDecay,
    earlyStopping: options.earlyStopping,
    onNan: options.onNan,
    device: options.device?.name,
    precision: options.precision,
    seed: options.seed,
    tune: options.tune,
    checkpoint: given({
      keepLast: options.keepLast,
      everySteps: options.checkpointEvery,
      everyEpochs: options.checkpointEpochs,
    }),
    tensorboard: options.tensorboard,
  });
  return layer ?? {};
}

type Given<T> = { [K in keyof T]: T[K] extends infer V ? (V extends None ? null : V) : never };

/** Without what is undefined, and null for 'none'; undefined where nothing is left. */
function given<T extends object>(values: T): Given<T> | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([key, value]) => [key, value === 'none' ? null : value])) as Given<T>;
}
