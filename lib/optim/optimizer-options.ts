// The options of the optimisers, checked.
import { ConfigError } from '../errors.js';
import { checkBoolean, checkNumber, checkOptions } from '../options.js';
import { LRScheduler } from './lr-scheduler.js';

/** What every optimiser takes. */
export interface OptimizerOptions {
  /** Needed unless there is a scheduler, whose baseLr it replaces. */
  learningRate?: number;
  /** Bounds each element of the rescaled gradient to [-clipGradient, clipGradient]. Default: no bound. */
  clipGradient?: number;
  /**
   * The largest norm of the rescaled gradients of all parameters together: where it is larger, all are scaled down by the same factor,
   * before `clipGradient` and weight decay. Pascanu et al., "On the difficulty of training recurrent neural networks", 2013. Each
   * step then reads the norm from the device before it updates: it waits for the backward pass, holds the event loop meanwhile, and recorded
   * ops become two programs. (One read for each loss scale in use: one, but for nets of several precisions.) Default: no bound.
   */
  clipNorm?: number;
  lrScheduler?: LRScheduler;
}

export interface SgdOptions extends OptimizerOptions {
  /** Default 0. */
  momentum?: number;
  /** Weight decay: adds wd * weight to each gradient. Default 0. */
  wd?: number;
  /** Nesterov's momentum. Default false. */
  nesterov?: boolean;
}

/** As torch.optim.AdamW. */
export interface AdamWOptions extends OptimizerOptions {
  /** What the mean of the gradients keeps at each update, below 1. Default 0.9. */
  beta1?: number;
  /** What the mean of their squares keeps at each update, below 1. Default 0.999. */
  beta2?: number;
  /** Is added to the root of the squares' mean, which the step is divided by; at least 1e-16. Default 1e-8. */
  epsilon?: number;
  /** Weight decay: each update takes learningRate * wd of the weight away. Default 0.01. */
  wd?: number;
}

export interface CheckedOptions {
  learningRate: number;
  wd: number;
  /** 0: no bound */
  clip: number;
  /** Infinity: no bound */
  clipNorm: number;
  lrScheduler: LRScheduler | null;
}

export interface CheckedSgdOptions extends CheckedOptions {
  momentum: number;
  nesterov: boolean;
}

export interface CheckedAdamWOptions extends CheckedOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
}

const commonNames = ['learningRate', 'wd', 'clipGradient', 'clipNorm', 'lrScheduler'];

/** Throws ConfigError. `own`: names of the optimiser's own options. */
function checkCommon(
  options: OptimizerOptions & { wd?: number },
  own: readonly string[],
  defaultWd: number,
): CheckedOptions {
  checkOptions('Trainer', options, [...commonNames, ...own]);
  const { lrScheduler = null, wd = defaultWd, clipGradient, clipNorm } = options;
  if (lrScheduler !== null && !(lrScheduler instanceof LRScheduler)) {
    throw new ConfigError(
      `Trainer expected lrScheduler to be a scheduler such as new lrScheduler.CosineScheduler(...), got ${typeof lrScheduler}.`,
      { argument: 'lrScheduler' },
    );
  }
  const bound = (name: string, value: number | undefined, none: number): number =>
    value === undefined ? none : checkNumber('Trainer', name, value, { min: 0, exclusive: true });
  return {
    learningRate: checkNumber('Trainer', 'learningRate', options.learningRate ?? lrScheduler?.baseLr, { min: 0 }),
    wd: checkNumber('Trainer', 'wd', wd, { min: 0 }),
    clip: bound('clipGradient', clipGradient, 0),
    clipNorm: bound('clipNorm', clipNorm, Infinity),
    lrScheduler,
  };
}

/** Throws ConfigError. */
export function checkSgdOptions(options: SgdOptions): CheckedSgdOptions {
  const common = checkCommon(options, ['momentum', 'nesterov'], 0);
  const { momentum = 0, nesterov = false } = options;
  checkBoolean('Trainer', 'nesterov', nesterov);
  checkNumber('Trainer', 'momentum', momentum, { min: 0, max: 1 });
  if (nesterov && momentum === 0)
    throw new ConfigError('Trainer expected momentum above 0 for nesterov, got 0.', { argument: 'momentum' });
  return { ...common, momentum, nesterov };
}

/** Throws ConfigError. */
export function checkAdamWOptions(options: AdamWOptions): CheckedAdamWOptions {
  const common = checkCommon(options, ['beta1', 'beta2', 'epsilon'], 0.01);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    if (checkNumber('Trainer', name, beta, { min: 0 }) >= 1)
      throw new ConfigError(`Trainer expected ${name} to be below 1, got ${beta}.`, { argument: name, found: beta });
  }
  return { ...common, beta1, beta2, epsilon: checkNumber('Trainer', 'epsilon', epsilon, { min: 1e-16 }) };
}
