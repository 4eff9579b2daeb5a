// The bottleneck with activation before convolution.
import { add } from '../ops/index.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchNorm } from './batch-norm.js';
import { Block } from './block.js';
import { type BottleneckOptions, checkBottleneckOptions, expansion } from './bottleneck-options.js';
import type { Conv2D } from './conv2d.js';
import type { PadShortcut } from './pad-shortcut.js';
import { convolution, downsampleFor, norm } from './residual-parts.js';
import type { Sequential } from './sequential.js';

/**
 * conv3(relu(bn3(conv2(relu(bn2(conv1(a))))))) + shortcut, where a = relu(bn1(x)) and the shortcut is x, or downsample(a) where
 * the shape changes. x: [n, inChannels, h, w] -> [n, 4 width, oh, ow]; the 3x3 convolution has the strides. He et al.,
 * "Identity mappings in deep residual networks", 2016, figure 4e. `zeroInitResidual` zeroes conv3, for a ReLU follows the last
 * norm. Throws ConfigError.
 */
export class PreActBottleneck extends Block {
  readonly bn1: BatchNorm;
  readonly conv1: Conv2D;
  readonly bn2: BatchNorm;
  readonly conv2: Conv2D;
  readonly bn3: BatchNorm;
  readonly conv3: Conv2D;
  /** The way round where the shape changes; null where it is x itself, or where there is none. */
  readonly downsample: Sequential | PadShortcut | null;
  /** Whether there is a way round: false in a plain net. */
  readonly residual: boolean;

  constructor(width: number, options: BottleneckOptions) {
    super();
    const checked = checkBottleneckOptions('PreActBottleneck', width, options);
    const { inChannels, strides, groups, inner, residual, zeroInitResidual } = checked;
    const channels = expansion * width;
    this.bn1 = norm(inChannels);
    this.conv1 = convolution(inChannels, inner, 1);
    this.bn2 = norm(inner);
    this.conv2 = convolution(inner, inner, 3, { strides, groups });
    this.bn3 = norm(inner);
    this.conv3 = convolution(inner, channels, 1, { zero: zeroInitResidual });
    this.downsample = downsampleFor(channels, checked, false);
    this.residual = residual;
  }

  override forward(x: Tensor): Tensor {
    const activated = this.bn1.forwardRelu(x); // [n, inChannels, h, w]
    const branch = tidy(() => {
      const narrowed = tidy(() => this.bn2.forwardRelu(this.conv1.forward(activated))); // [n, inner, h, w]
      const hidden = tidy(() => this.bn3.forwardRelu(this.conv2.forward(narrowed))); // [n, inner, oh, ow]
      return this.conv3.forward(hidden);
    });
    if (!this.residual) return branch;
    return add(branch, this.downsample ? this.downsample.forward(activated) : x);
  }
}
