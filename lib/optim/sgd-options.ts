// The options of stochastic gradient descent, checked.
import { ConfigError } from '../errors.js';
import { checkBoolean, checkNumber, checkOptions } from '../options.js';
import { LRScheduler } from './lr-scheduler.js';

export interface SgdOptions {
  /** Needed unless there is a scheduler, whose baseLr it replaces. */
  learningRate?: number;
  /** Default 0. */
  momentum?: number;
  /** Weight decay: adds wd * weight to each gradient. Default 0. */
  wd?: number;
  /** Nesterov's momentum. Default false. */
  nesterov?: boolean;
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

export interface CheckedSgdOptions {
  learningRate: number;
  momentum: number;
  wd: number;
  nesterov: boolean;
  /** 0: no bound */
  clip: number;
  /** Infinity: no bound */
  clipNorm: number;
  lrScheduler: LRScheduler | null;
}

const names = ['learningRate', 'momentum', 'wd', 'nesterov', 'clipGradient', 'clipNorm', 'lrScheduler'];

/** Throws ConfigError. */
export function checkSgdOptions(options: SgdOptions): CheckedSgdOptions {
  checkOptions('Trainer', options, names);
  const { lrScheduler = null, momentum = 0, wd = 0, nesterov = false, clipGradient, clipNorm } = options;
  if (lrScheduler !== null && !(lrScheduler instanceof LRScheduler)) {
    throw new ConfigError(
      `Trainer expected lrScheduler to be a scheduler such as new lrScheduler.CosineScheduler(...), got ${typeof lrScheduler}.`,
      { argument: 'lrScheduler' },
    );
  }
  checkBoolean('Trainer', 'nesterov', nesterov);
  checkNumber('Trainer', 'momentum', momentum, { min: 0, max: 1 });
  if (nesterov && momentum === 0)
    throw new ConfigError('Trainer expected momentum above 0 for nesterov, got 0.', { argument: 'momentum' });
  return {
    learningRate: checkNumber('Trainer', 'learningRate', options.learningRate ?? lrScheduler?.baseLr, { min: 0 }),
    momentum,
    wd: checkNumber('Trainer', 'wd', wd, { min: 0 }),
    nesterov,
    clip:
      clipGradient === undefined
        ? 0
        : checkNumber('Trainer', 'clipGradient', clipGradient, { min: 0, exclusive: true }),
    clipNorm:
      clipNorm === undefined ? Infinity : checkNumber('Trainer', 'clipNorm', clipNorm, { min: 0, exclusive: true }),
    lrScheduler,
  };
}
