// The residual block that narrows, convolves and widens: 1x1, 3x3, 1x1.
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchNorm } from './batch-norm.js';
import { Block } from './block.js';
import { type BottleneckOptions, checkBottleneckOptions, expansion } from './bottleneck-options.js';
import type { Conv2D } from './conv2d.js';
import type { PadShortcut } from './pad-shortcut.js';
import { convolution, downsampleFor, endOfBlock, norm, wayRound } from './residual-parts.js';
import type { Sequential } from './sequential.js';

export interface BottleneckStrideOptions extends BottleneckOptions {
  /** Which convolution has the strides: the first 1x1 as in the paper, or the 3x3 ('v1.5'). Default '3x3'. */
  stridesOn?: '1x1' | '3x3';
}

/**
 * relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + shortcut). x: [n, inChannels, h, w] -> [n, 4 width, oh, ow].
 * `width`: of the 3x3 convolution, before `groups` and `widthPerGroup`. He et al., "Deep residual learning for image
 * recognition", 2016, figure 5 right; with groups Xie et al., "Aggregated residual transformations", 2017, figure 3c.
 * Throws ConfigError.
 */
export class Bottleneck extends Block {
  readonly conv1: Conv2D;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2D;
  readonly bn2: BatchNorm;
  readonly conv3: Conv2D;
  readonly bn3: BatchNorm;
  /** The way round where the shape changes; null where it is x itself, or where there is none. */
  readonly downsample: Sequential | PadShortcut | null;
  /** Whether there is a way round: false in a plain net. */
  readonly residual: boolean;

  constructor(width: number, options: BottleneckStrideOptions) {
    super();
    const checked = checkBottleneckOptions('Bottleneck', width, options, ['stridesOn']);
    const { inChannels, strides, groups, inner, residual, zeroInitResidual } = checked;
    const isFirst = checked.stridesOn === '1x1';
    const channels = expansion * width;
    this.conv1 = convolution(inChannels, inner, 1, { strides: isFirst ? strides : 1 });
    this.bn1 = norm(inner);
    this.conv2 = convolution(inner, inner, 3, { strides: isFirst ? 1 : strides, groups });
    this.bn2 = norm(inner);
    this.conv3 = convolution(inner, channels, 1);
    this.bn3 = norm(channels, { zero: zeroInitResidual });
    this.downsample = downsampleFor(channels, checked, true);
    this.residual = residual;
  }

  override forward(x: Tensor): Tensor {
    // [n, inner, oh, ow]
    const hidden = tidy(() => {
      const narrowed = tidy(() => this.bn1.forwardRelu(this.conv1.forward(x)));
      return this.bn2.forwardRelu(this.conv2.forward(narrowed));
    });
    return endOfBlock(
      x,
      this.bn3,
      () => this.conv3.forward(hidden),
      this.residual ? () => wayRound(x, this.downsample) : null,
    );
  }
}
