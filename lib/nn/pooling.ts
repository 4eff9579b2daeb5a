// Pooling layers: largest and mean values of windows, and the mean of whole channels.
import { avgPool2d, globalAvgPool2d, maxPool2d } from '../ops/index.js';
import { checkBoolean, checkOptions, checkPair, type Size2d } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { Block } from './block.js';

export interface PoolOptions {
  /** Size of the window. Default 2. */
  poolSize?: Size2d;
  /** Default: poolSize. */
  strides?: Size2d;
  /** Default 0. */
  padding?: Size2d;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in a window's size. Default true. */
  countIncludePad?: boolean;
}

abstract class Pool2D extends Block {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number];
  constructor(where: string, { poolSize = 2, strides = poolSize, padding = 0 }: PoolOptions) {
    super();
    this.poolSize = checkPair(where, 'poolSize', poolSize, 1);
    this.strides = checkPair(where, 'strides', strides, 1);
    this.padding = checkPair(where, 'padding', padding, 0);
  }
  protected override kind(): string {
    return 'pool';
  }
  protected override describe(): string {
    return `poolSize ${this.poolSize.join('x')}, strides ${this.strides.join('x')}, padding ${this.padding.join('x')}`;
  }
}

/** The largest value of each window; padding never wins. [n, c, h, w] -> [n, c, oh, ow] */
export class MaxPool2D extends Pool2D {
  constructor(options: PoolOptions = {}) {
    checkOptions('MaxPool2D', options, ['poolSize', 'strides', 'padding']);
    super('MaxPool2D', options);
  }
  override forward(x: Tensor): Tensor {
    const { poolSize, strides, padding } = this;
    return maxPool2d(x, { poolSize, strides, padding });
  }
}

/** The mean of each window. [n, c, h, w] -> [n, c, oh, ow] */
export class AvgPool2D extends Pool2D {
  readonly countIncludePad: boolean;
  constructor(options: AvgPoolOptions = {}) {
    checkOptions('AvgPool2D', options, ['poolSize', 'strides', 'padding', 'countIncludePad']);
    super('AvgPool2D', options);
    this.countIncludePad = checkBoolean('AvgPool2D', 'countIncludePad', options.countIncludePad ?? true);
  }
  override forward(x: Tensor): Tensor {
    const { poolSize, strides, padding, countIncludePad } = this;
    return avgPool2d(x, { poolSize, strides, padding, countIncludePad });
  }
}

/** The mean of each channel. [n, c, h, w] -> [n, c, 1, 1] */
export class GlobalAvgPool2D extends Block {
  protected override kind(): string {
    return 'pool';
  }
  override forward(x: Tensor): Tensor {
    return globalAvgPool2d(x);
  }
}
