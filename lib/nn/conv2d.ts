// The convolution layer.
import { ConfigError, ShapeError } from '../errors.js';
import { type Initializer, Zero } from '../init/index.js';
import { conv2d } from '../ops/index.js';
import { checkBoolean, checkInteger, checkOptions, checkPair, type Size2d } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ActivationName, activate, checkActivation } from './activation.js';
import { Block } from './block.js';
import { Parameter } from './parameter.js';

export interface Conv2DOptions {
  kernelSize: Size2d;
  /** Default 1. */
  strides?: Size2d;
  /** Zeros added on both sides of each axis. Default 0. */
  padding?: Size2d;
  /** Distance between the kernel's taps. Default 1. */
  dilation?: Size2d;
  /** Input and output channels are split into so many independent groups. Default 1. */
  groups?: number;
  /** Default true. */
  useBias?: boolean;
  /** First values of the weight. Default: those of `initialize()`. */
  weightInitializer?: Initializer;
  /** 0 (default): inferred at the first forward. */
  inChannels?: number;
  /** Applied to the output. Default: none. */
  activation?: ActivationName;
}

const optionNames = [
  'kernelSize',
  'strides',
  'padding',
  'dilation',
  'groups',
  'useBias',
  'weightInitializer',
  'inChannels',
  'activation',
];

/** Two-dimensional convolution (cross-correlation). x: [n, in, h, w] -> [n, channels, oh, ow]. */
export class Conv2D extends Block {
  readonly channels: number;
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
  readonly activation: ActivationName | undefined;
  /** [channels, in / groups, kernel height, kernel width] */
  readonly weight: Parameter;
  /** [channels]; null without bias */
  readonly bias: Parameter | null;

  constructor(channels: number, options: Conv2DOptions) {
    super();
    checkOptions('Conv2D', options, optionNames);
    this.channels = checkInteger('Conv2D', 'channels', channels, 1);
    this.kernelSize = checkPair('Conv2D', 'kernelSize', options.kernelSize, 1);
    this.strides = checkPair('Conv2D', 'strides', options.strides ?? 1, 1);
    this.padding = checkPair('Conv2D', 'padding', options.padding ?? 0, 0);
    this.dilation = checkPair('Conv2D', 'dilation', options.dilation ?? 1, 1);
    this.groups = checkInteger('Conv2D', 'groups', options.groups ?? 1, 1);
    this.activation = checkActivation('Conv2D', options.activation);
    const inChannels = checkInteger('Conv2D', 'inChannels', options.inChannels ?? 0, 0);
    if (channels % this.groups !== 0 || inChannels % this.groups !== 0) {
      throw new ConfigError(
        `Conv2D expected channels (${channels}) and inChannels (${inChannels}) to be multiples of groups (${this.groups}).`,
        { argument: 'groups' },
      );
    }
    this.weight = new Parameter(`${this.name}.weight`, {
      shape: [channels, inChannels / this.groups, ...this.kernelSize],
      init: options.weightInitializer,
    });
    const useBias = checkBoolean('Conv2D', 'useBias', options.useBias ?? true);
    this.bias = useBias ? new Parameter(`${this.name}.bias`, { shape: [channels], init: new Zero() }) : null;
  }

  protected override kind(): string {
    return 'conv';
  }

  protected override describe(): string {
    const inChannels = (this.weight.shape[1] as number) * this.groups || 'inferred';
    return `${this.channels}, kernelSize ${this.kernelSize.join('x')}, strides ${this.strides.join('x')}, padding ${this.padding.join('x')}, inChannels ${inChannels}`;
  }

  /** A weight's products once for each pixel of the output [n, channels, oh, ow]. */
  override multiplyAdds([n = 0, , height = 0, width = 0]: readonly number[]): number {
    return this.weight.shape.reduce((product, d) => product * d, n * height * width);
  }

  override forward(x: Tensor): Tensor {
    if (x.ndim !== 4)
      throw new ShapeError(
        `Conv2D expected an input [batch, channels, height, width], got shape [${x.shape.join(', ')}].`,
        { found: x.shape },
      );
    const inChannels = x.shape[1] as number;
    if (inChannels % this.groups !== 0)
      throw new ShapeError(
        `Conv2D expected input channels to be a multiple of groups (${this.groups}), got ${inChannels}.`,
        { found: x.shape },
      );
    this.weight.inferShape([this.channels, inChannels / this.groups, ...this.kernelSize]);
    const { strides, padding, dilation, groups } = this;
    return activate(
      conv2d(x, this.weight.data(), this.bias?.data(), { strides, padding, dilation, groups }),
      this.activation,
    );
  }
}
