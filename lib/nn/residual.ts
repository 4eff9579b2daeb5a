// The residual block of the chapter.
import { checkBoolean, checkOptions, type Size2d } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { BatchNorm } from './batch-norm.js';
import { Block } from './block.js';
import { Conv2D } from './conv2d.js';
import { endOfBlock, wayRound } from './residual-parts.js';

export interface ResidualOptions {
  /** Whether the input passes a 1x1 convolution on its way round, as it must where the shape changes. Default false. */
  use1x1Conv?: boolean;
  /** Of the first 3x3 convolution and of the 1x1. Default 1. */
  strides?: Size2d;
}

/**
 * relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut), where the shortcut is x or conv3(x).
 * x: [n, in, h, w] -> [n, numChannels, oh, ow]. "Dive into Deep Learning", section 7.6 (residual networks), after
 * He et al., "Deep residual learning for image recognition", 2016, figure 2.
 */
export class Residual extends Block {
  readonly conv1: Conv2D;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2D;
  readonly bn2: BatchNorm;
  readonly conv3: Conv2D | null;

  constructor(numChannels: number, options: ResidualOptions = {}) {
    super();
    checkOptions('Residual', options, ['use1x1Conv', 'strides']);
    const { use1x1Conv = false, strides = 1 } = options;
    this.conv1 = new Conv2D(numChannels, { kernelSize: 3, padding: 1, strides });
    this.bn1 = new BatchNorm();
    this.conv2 = new Conv2D(numChannels, { kernelSize: 3, padding: 1 });
    this.bn2 = new BatchNorm();
    this.conv3 = checkBoolean('Residual', 'use1x1Conv', use1x1Conv)
      ? new Conv2D(numChannels, { kernelSize: 1, strides })
      : null;
  }

  override forward(x: Tensor): Tensor {
    const hidden = tidy(() => this.bn1.forwardRelu(this.conv1.forward(x)));
    return endOfBlock(
      x,
      this.bn2,
      () => this.conv2.forward(hidden),
      () => wayRound(x, this.conv3),
    );
  }
}
