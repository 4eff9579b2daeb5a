// The residual block of two 3x3 convolutions with activation before convolution.
import { add } from '../ops/index.js';
import { checkInteger } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchNorm } from './batch-norm.js';
import { Block } from './block.js';
import type { Conv2D } from './conv2d.js';
import type { PadShortcut } from './pad-shortcut.js';
import { checkBlockOptions, convolution, downsampleFor, norm, type ResidualBlockOptions } from './residual-parts.js';
import type { Sequential } from './sequential.js';

/**
 * conv2(relu(bn2(conv1(a)))) + shortcut, where a = relu(bn1(x)) and the shortcut is x, or downsample(a) where the shape changes.
 * x: [n, inChannels, h, w] -> [n, channels, oh, ow]. He et al., "Identity mappings in deep residual networks", 2016, figure 4e.
 * `zeroInitResidual` zeroes conv2, for a ReLU follows the last norm. Throws ConfigError.
 */
export class PreActBasicBlock extends Block {
  readonly bn1: BatchNorm;
  readonly conv1: Conv2D;
  readonly bn2: BatchNorm;
  readonly conv2: Conv2D;
  /** The way round where the shape changes; null where it is x itself, or where there is none. */
  readonly downsample: Sequential | PadShortcut | null;
  /** Whether there is a way round: false in a plain net. */
  readonly residual: boolean;

  constructor(channels: number, options: ResidualBlockOptions) {
    super();
    checkInteger('PreActBasicBlock', 'channels', channels, 1);
    const checked = checkBlockOptions('PreActBasicBlock', options);
    const { inChannels, strides, residual, zeroInitResidual } = checked;
    this.bn1 = norm(inChannels);
    this.conv1 = convolution(inChannels, channels, 3, { strides });
    this.bn2 = norm(channels);
    this.conv2 = convolution(channels, channels, 3, { zero: zeroInitResidual });
    this.downsample = downsampleFor(channels, checked, false);
    this.residual = residual;
  }

  override forward(x: Tensor): Tensor {
    const activated = this.bn1.forwardRelu(x); // [n, inChannels, h, w]
    const branch = tidy(() => {
      const hidden = tidy(() => this.bn2.forwardRelu(this.conv1.forward(activated)));
      return this.conv2.forward(hidden);
    });
    if (!this.residual) return branch;
    return add(branch, this.downsample ? this.downsample.forward(activated) : x);
  }
}
