// The residual block of two 3x3 convolutions.
import { checkInteger } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchNorm } from './batch-norm.js';
import { Block } from './block.js';
import type { Conv2D } from './conv2d.js';
import type { PadShortcut } from './pad-shortcut.js';
import {
  checkBlockOptions,
  convolution,
  downsampleFor,
  endOfBlock,
  norm,
  type ResidualBlockOptions,
  wayRound,
} from './residual-parts.js';
import type { Sequential } from './sequential.js';

/**
 * relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut). x: [n, inChannels, h, w] -> [n, channels, oh, ow].
 * He et al., "Deep residual learning for image recognition", 2016, figure 5 left. Throws ConfigError.
 */
export class BasicBlock extends Block {
  readonly conv1: Conv2D;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2D;
  readonly bn2: BatchNorm;
  /** The way round where the shape changes; null where it is x itself, or where there is none. */
  readonly downsample: Sequential | PadShortcut | null;
  /** Whether there is a way round: false in a plain net. */
  readonly residual: boolean;

  constructor(channels: number, options: ResidualBlockOptions) {
    super();
    checkInteger('BasicBlock', 'channels', channels, 1);
    const checked = checkBlockOptions('BasicBlock', options);
    const { inChannels, strides, residual, zeroInitResidual } = checked;
    this.conv1 = convolution(inChannels, channels, 3, { strides });
    this.bn1 = norm(channels);
    this.conv2 = convolution(channels, channels, 3);
    this.bn2 = norm(channels, { zero: zeroInitResidual });
    this.downsample = downsampleFor(channels, checked, true);
    this.residual = residual;
  }

  override forward(x: Tensor): Tensor {
    const hidden = tidy(() => this.bn1.forwardRelu(this.conv1.forward(x))); // [n, channels, oh, ow]
    return endOfBlock(
      x,
      this.bn2,
      () => this.conv2.forward(hidden),
      this.residual ? () => wayRound(x, this.downsample) : null,
    );
  }
}
