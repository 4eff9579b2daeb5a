// The shortcut without parameters: every second pixel, zeros for the new channels.
import { ConfigError } from '../errors.js';
import { avgPool2d } from '../ops/index.js';
import { checkInteger, checkOptions } from '../options.js';
import { tensor } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { Block } from './block.js';

export interface PadShortcutOptions {
  /** Channels of the input. `channels` is a multiple of it. */
  inChannels: number;
  /** Default 1. */
  strides?: number;
}

/**
 * Takes one pixel of each `strides` x `strides` and appends channels of zeros. x: [n, inChannels, h, w] ->
 * [n, channels, oh, ow], oh = ceil(h / strides). Has no parameters. He et al., "Deep residual learning for image recognition",
 * 2016, section 3.3, option A. Throws ConfigError where `channels` is not a multiple of `inChannels`.
 */
export class PadShortcut extends Block {
  readonly channels: number;
  readonly inChannels: number;
  readonly strides: number;

  constructor(channels: number, options: PadShortcutOptions) {
    super();
    checkOptions('PadShortcut', options, ['inChannels', 'strides']);
    this.channels = checkInteger('PadShortcut', 'channels', channels, 1);
    this.inChannels = checkInteger('PadShortcut', 'inChannels', options.inChannels, 1);
    this.strides = checkInteger('PadShortcut', 'strides', options.strides ?? 1, 1);
    if (channels % this.inChannels !== 0)
      throw new ConfigError(
        `PadShortcut expected channels (${channels}) to be a multiple of inChannels (${this.inChannels}). ` +
          "Where widths grow otherwise, use shortcut 'projection'.",
        { argument: 'channels', found: channels },
      );
  }

  protected override describe(): string {
    return `${this.channels}, strides ${this.strides}, inChannels ${this.inChannels}`;
  }

  override forward(x: Tensor): Tensor {
    const { strides } = this;
    const taken = strides === 1 ? x : avgPool2d(x, { poolSize: 1, strides }); // [n, inChannels, oh, ow]
    return appendZeros(taken, this.channels / this.inChannels);
  }
}

/** x: [n, c, h, w] -> [n, times * c, h, w]: x, then zeros. As a product with [1, 0, ...], for which every backend has the ops. */
function appendZeros(x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  return tidy(() => {
    const isFirst = Array.from({ length: times }, (_, i) => [i === 0 ? 1 : 0]);
    const mask = tensor(isFirst, { dtype: x.dtype, device: x.device }); // [times, 1]
    const copies = x.reshape([n, 1, channels * height * width]).mul(mask); // [n, times, c h w]
    return copies.reshape([n, times * channels, height, width]);
  });
}
