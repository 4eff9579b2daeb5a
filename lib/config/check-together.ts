// Keys of a config that only some others allow.
import { ConfigError } from '../errors.js';
import type { AugmentConfig, OptimizerConfig, ScheduleConfig, TrainConfig } from './train-config.js';

/** Throws ConfigError, which names the key and what to do. */
export function checkTogether(config: TrainConfig): void {
  checkSchedule(config.schedule, config.epochs);
  checkOptimizer(config.optimizer);
  checkAugment(config.augment);
  checkModel(config);
  checkNormalize(config);
}

function fail(key: string, message: string, found: unknown): never {
  throw new ConfigError(`The config: ${key}: ${message}`, { argument: key, found });
}

function checkSchedule({ name, at, warmup }: ScheduleConfig, epochs: number): void {
  const shown = JSON.stringify(at);
  if (name === 'step' && typeof at !== 'number')
    fail('schedule.at', `expected the epochs between two decays, a number, for the schedule 'step', got ${shown}.`, at);
  if (name === 'multi-step') {
    const isRising = Array.isArray(at) && at.every((epoch, i) => i === 0 || epoch > at[i - 1]);
    if (!isRising)
      fail(
        'schedule.at',
        `expected the epochs after which the rate decays, a rising list such as [${Math.ceil(epochs / 2)}, ${Math.ceil((epochs * 3) / 4)}], for the schedule 'multi-step', got ${shown}.`,
        at,
      );
  }
  if (at !== null && name !== 'step' && name !== 'multi-step')
    fail(
      'schedule.at',
      `expected null for the schedule '${name}', which has no decays at epochs, got ${shown}. Name 'step' or 'multi-step'.`,
      at,
    );
  if (warmup >= epochs && warmup > 0)
    fail('schedule.warmup', `expected fewer epochs of warm-up than the run's ${epochs}, got ${warmup}.`, warmup);
}

function checkOptimizer({ name, nesterov, momentum, beta1, beta2, epsilon }: OptimizerConfig): void {
  if (name === 'adamw' && (momentum > 0 || nesterov))
    fail(
      momentum > 0 ? 'optimizer.momentum' : 'optimizer.nesterov',
      `expected none for the optimizer 'adamw', which has beta1 in its place, got ${momentum > 0 ? momentum : nesterov}. Leave it out, or name 'sgd'.`,
      momentum > 0 ? momentum : nesterov,
    );
  const ofAdamW = { beta1: [beta1, 0.9], beta2: [beta2, 0.999], epsilon: [epsilon, 1e-8] } as const;
  for (const [key, [value, usual]] of Object.entries(ofAdamW)) {
    if (name === 'sgd' && value !== usual)
      fail(
        `optimizer.${key}`,
        `expected none for the optimizer 'sgd', got ${value}. Leave it out, or name 'adamw'.`,
        value,
      );
  }
  if (nesterov && momentum === 0)
    fail(
      'optimizer.nesterov',
      'expected a momentum above 0 with nesterov, got 0. Set optimizer.momentum, such as 0.9.',
      nesterov,
    );
}

function checkAugment({ crop, randomResizedCrop }: AugmentConfig): void {
  if (randomResizedCrop === null) return;
  if (crop !== null)
    fail(
      'augment.crop',
      `expected null beside randomResizedCrop, which crops too, got ${crop}. Leave one of them out.`,
      crop,
    );
  if (randomResizedCrop[0] > randomResizedCrop[1])
    fail(
      'augment.randomResizedCrop',
      `expected [smallest, largest] part of the area, got ${JSON.stringify(randomResizedCrop)}.`,
      randomResizedCrop,
    );
}

function checkModel({ model, modelOptions }: TrainConfig): void {
  if (model === 'resnet' && modelOptions.blocks === undefined)
    fail(
      'modelOptions.blocks',
      "expected the blocks of each stage for the model 'resnet', such as [1, 2, 2], got none. Or name a model that tells them, such as 'resnet18'.",
      undefined,
    );
  if (model === 'resnet') return;
  for (const key of ['block', 'blocks'] as const)
    if (modelOptions[key] !== undefined)
      fail(
        `modelOptions.${key}`,
        `expected none for ${model}, whose name tells it; it is for the model 'resnet'.`,
        modelOptions[key],
      );
}

function checkNormalize({ normalize }: TrainConfig): void {
  if (normalize === null || typeof normalize === 'string') return;
  const { mean, std } = normalize;
  if (mean?.length !== std?.length || !mean)
    fail(
      'normalize',
      `expected as many values of mean as of std, one a channel, got ${mean?.length ?? 'no'} and ${std?.length ?? 'no'}.`,
      normalize,
    );
}
