// What parameters are made and initialised with, and the checks of it.
import type { Device } from '../device.js';
import { ConfigError } from '../errors.js';
import { Initializer } from '../init/index.js';
import { kindOf } from '../ops/attributes.js';

export interface ParameterOptions {
  /** 0 stands for a size that the first forward tells. */
  shape: readonly number[];
  /** Initialiser of this parameter, in place of the one given to `initialize()`. */
  init?: Initializer;
  /** Default true. */
  trainable?: boolean;
  /** Multiplies the learning rate. Default 1. */
  lrMult?: number;
  /** Multiplies the weight decay. Default 1. */
  wdMult?: number;
}

export interface InitializeOptions {
  /** For weights; biases and betas start at 0, gammas at 1. Default Uniform(0.07), as in Gluon. */
  init?: Initializer;
  /** Default: the default device. */
  device?: Device;
  /** Draw again where there are values already. Default false: those are kept. */
  forceReinit?: boolean;
}

/** Whether `shape` is `pattern`, in which 0 stands for any size. */
export function fitsShape(pattern: readonly number[], shape: readonly number[]): boolean {
  return pattern.length === shape.length && pattern.every((d, axis) => d === 0 || d === shape[axis]);
}

/** Refuses what is not an initialiser. */
export function checkInitializer(where: string, init: unknown): Initializer {
  if (init instanceof Initializer) return init;
  throw new ConfigError(`${where} expected init to be an initialiser such as new init.Xavier(), got ${kindOf(init)}.`, {
    argument: 'init',
  });
}
