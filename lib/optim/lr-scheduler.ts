// Learning-rate schedules: the rate as a function of how many updates were made. Names and formulas are Gluon's, but for the one cycle.
import { ConfigError } from '../errors.js';
import { checkChoice, checkInteger, checkNumber, checkOptions } from '../options.js';

export interface SchedulerOptions {
  /** The rate after warm-up, before any decay. Default 0.01; a Trainer's `learningRate` option takes its place. */
  baseLr?: number;
  /** Number of first updates with another rate. Default 0. */
  warmupSteps?: number;
  /** The rate at update 0 of the warm-up. Default 0. */
  warmupBeginLr?: number;
  /** 'linear' (default): from warmupBeginLr straight to baseLr; 'constant': warmupBeginLr throughout. */
  warmupMode?: 'linear' | 'constant';
}

const commonNames = ['baseLr', 'warmupSteps', 'warmupBeginLr', 'warmupMode'];

/** Base class: warm-up, then `decayed`. Schedulers have no state, so that training resumes exactly. */
export abstract class LRScheduler {
  readonly baseLr: number;
  readonly warmupSteps: number;
  readonly warmupBeginLr: number;
  readonly warmupMode: 'linear' | 'constant';

  /** `known`: names of the subclass's own options. */
  constructor(options: SchedulerOptions = {}, known: readonly string[] = []) {
    const where = `lrScheduler.${this.constructor.name}`;
    checkOptions(where, options, [...known, ...commonNames]);
    this.baseLr = checkNumber(where, 'baseLr', options.baseLr ?? 0.01, { min: 0 });
    this.warmupSteps = checkInteger(where, 'warmupSteps', options.warmupSteps ?? 0, 0);
    this.warmupBeginLr = checkNumber(where, 'warmupBeginLr', options.warmupBeginLr ?? 0, { min: 0 });
    this.warmupMode = checkChoice(where, 'warmupMode', options.warmupMode ?? 'linear', ['linear', 'constant']);
  }

  /** The rate for update number `numUpdate`, counted from 1 by the Trainer; 0 is before the first. */
  at(numUpdate: number, baseLr = this.baseLr): number {
    if (numUpdate >= this.warmupSteps) return this.decayed(numUpdate, baseLr);
    if (this.warmupMode === 'constant') return this.warmupBeginLr;
    return this.warmupBeginLr + ((baseLr - this.warmupBeginLr) * numUpdate) / this.warmupSteps;
  }

  /** The rate after the warm-up. */
  protected abstract decayed(numUpdate: number, baseLr: number): number;
}

export interface FactorSchedulerOptions extends SchedulerOptions {
  /** Updates between two decays. */
  step: number;
  /** Each decay multiplies the rate by it; at most 1. Default 1. */
  factor?: number;
  /** The rate does not fall below. Default 1e-8. */
  stopFactorLr?: number;
}

/** baseLr * factor^n, where n decays came before: the first after update `step`. */
export class FactorScheduler extends LRScheduler {
  readonly step: number;
  readonly factor: number;
  readonly stopFactorLr: number;
  constructor(options: FactorSchedulerOptions) {
    super(options, ['step', 'factor', 'stopFactorLr']);
    this.step = checkInteger('lrScheduler.FactorScheduler', 'step', options.step, 1);
    this.factor = checkNumber('lrScheduler.FactorScheduler', 'factor', options.factor ?? 1, {
      min: 0,
      max: 1,
      exclusive: true,
    });
    this.stopFactorLr = checkNumber('lrScheduler.FactorScheduler', 'stopFactorLr', options.stopFactorLr ?? 1e-8, {
      min: 0,
    });
  }
  protected decayed(numUpdate: number, baseLr: number): number {
    const decays = Math.max(0, Math.ceil(numUpdate / this.step) - 1);
    return decays === 0 ? baseLr : Math.max(baseLr * this.factor ** decays, this.stopFactorLr);
  }
}

export interface MultiFactorSchedulerOptions extends SchedulerOptions {
  /** The updates after which the rate decays, rising. */
  step: readonly number[];
  /** Each decay multiplies the rate by it; at most 1. Default 1. */
  factor?: number;
}

/** baseLr * factor^n, where n of the given updates are past. */
export class MultiFactorScheduler extends LRScheduler {
  readonly step: readonly number[];
  readonly factor: number;
  constructor(options: MultiFactorSchedulerOptions) {
    super(options, ['step', 'factor']);
    const { step } = options;
    const isRising =
      Array.isArray(step) &&
      step.length > 0 &&
      step.every((s, i) => Number.isSafeInteger(s) && s > (i === 0 ? 0 : step[i - 1]));
    if (!isRising)
      throw new ConfigError(
        `lrScheduler.MultiFactorScheduler expected step to be a rising list of positive integers, got ${JSON.stringify(step)}.`,
        { argument: 'step' },
      );
    this.step = [...step];
    this.factor = checkNumber('lrScheduler.MultiFactorScheduler', 'factor', options.factor ?? 1, {
      min: 0,
      max: 1,
      exclusive: true,
    });
  }
  protected decayed(numUpdate: number, baseLr: number): number {
    return baseLr * this.factor ** this.step.filter((step) => numUpdate > step).length;
  }
}

export interface PolySchedulerOptions extends SchedulerOptions {
  /** The update at which the rate reaches finalLr, warm-up included. */
  maxUpdate: number;
  /** Default 2. */
  pwr?: number;
  /** Default 0. */
  finalLr?: number;
}

/** finalLr + (baseLr - finalLr) * (1 - progress)^pwr, with progress from 0 after the warm-up to 1 at maxUpdate. */
export class PolyScheduler extends LRScheduler {
  readonly maxUpdate: number;
  readonly pwr: number;
  readonly finalLr: number;
  constructor(options: PolySchedulerOptions) {
    super(options, ['maxUpdate', 'pwr', 'finalLr']);
    this.maxUpdate = checkInteger('lrScheduler.PolyScheduler', 'maxUpdate', options.maxUpdate, this.warmupSteps + 1);
    this.pwr = checkNumber('lrScheduler.PolyScheduler', 'pwr', options.pwr ?? 2, { min: 0 });
    this.finalLr = checkNumber('lrScheduler.PolyScheduler', 'finalLr', options.finalLr ?? 0, { min: 0 });
  }
  protected decayed(numUpdate: number, baseLr: number): number {
    return (
      this.finalLr + (baseLr - this.finalLr) * (1 - progress(numUpdate, this.warmupSteps, this.maxUpdate)) ** this.pwr
    );
  }
}

export interface CosineSchedulerOptions extends SchedulerOptions {
  /** The update at which the rate reaches finalLr, warm-up included. */
  maxUpdate: number;
  /** Default 0. */
  finalLr?: number;
}

/**
 * finalLr + (baseLr - finalLr) * (1 + cos(pi * progress)) / 2, with progress from 0 after the warm-up to 1 at maxUpdate.
 * Loshchilov and Hutter, "SGDR", 2017, equation 5, without restarts.
 */
export class CosineScheduler extends LRScheduler {
  readonly maxUpdate: number;
  readonly finalLr: number;
  constructor(options: CosineSchedulerOptions) {
    super(options, ['maxUpdate', 'finalLr']);
    this.maxUpdate = checkInteger('lrScheduler.CosineScheduler', 'maxUpdate', options.maxUpdate, this.warmupSteps + 1);
    this.finalLr = checkNumber('lrScheduler.CosineScheduler', 'finalLr', options.finalLr ?? 0, { min: 0 });
  }
  protected decayed(numUpdate: number, baseLr: number): number {
    const done = progress(numUpdate, this.warmupSteps, this.maxUpdate);
    return cosine(baseLr, this.finalLr, done);
  }
}

export interface OneCycleSchedulerOptions {
  /** The highest rate. Default 0.01; a Trainer's `learningRate` option takes its place. */
  baseLr?: number;
  /** Number of updates of the cycle; after it the rate stays at the lowest. */
  maxUpdate: number;
  /** Updates until the rate is highest, also a fraction. Default 0.3 * maxUpdate; PyTorch's pct_start * total_steps. */
  riseSteps?: number;
  /** The first rate, as a part of baseLr. Default 0.04; PyTorch's 1 / div_factor. */
  beginFactor?: number;
  /** The last rate, as a part of baseLr. Default 4e-6; PyTorch's 1 / (div_factor * final_div_factor). */
  finalFactor?: number;
}

/**
 * Rises from beginFactor * baseLr to baseLr, then falls to finalFactor * baseLr, both along half a cosine. Smith and Topin,
 * "Super-convergence", 2018, in the form of PyTorch's OneCycleLR (momentum stays).
 */
export class OneCycleScheduler extends LRScheduler {
  readonly maxUpdate: number;
  readonly riseSteps: number;
  readonly beginFactor: number;
  readonly finalFactor: number;
  constructor(options: OneCycleSchedulerOptions) {
    const where = 'lrScheduler.OneCycleScheduler';
    checkOptions(where, options, ['baseLr', 'maxUpdate', 'riseSteps', 'beginFactor', 'finalFactor']);
    super({ baseLr: options.baseLr });
    const maxUpdate = checkInteger(where, 'maxUpdate', options.maxUpdate, 1);
    this.maxUpdate = maxUpdate;
    this.riseSteps = checkNumber(where, 'riseSteps', options.riseSteps ?? 0.3 * maxUpdate, { min: 0, max: maxUpdate });
    this.beginFactor = checkNumber(where, 'beginFactor', options.beginFactor ?? 0.04, { min: 0, max: 1 });
    this.finalFactor = checkNumber(where, 'finalFactor', options.finalFactor ?? 4e-6, { min: 0, max: 1 });
  }
  protected decayed(numUpdate: number, baseLr: number): number {
    const step = Math.min(this.maxUpdate, Math.max(1, numUpdate)) - 1; // the first update has the first rate
    const top = this.riseSteps - 1;
    if (step <= top && top > 0) return cosine(this.beginFactor * baseLr, baseLr, step / top);
    const fall = this.maxUpdate - 1 - top;
    return fall <= 0 ? baseLr : cosine(baseLr, this.finalFactor * baseLr, (step - top) / fall);
  }
}

/** From the first value to the other along half a cosine. */
function cosine(from: number, to: number, part: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
}

/** 0 at the end of the warm-up, 1 from `maxUpdate` on. */
function progress(numUpdate: number, warmupSteps: number, maxUpdate: number): number {
  return Math.min(1, (numUpdate - warmupSteps) / (maxUpdate - warmupSteps));
}
