// The loss of classification.
import { Block } from '../nn/block.js';
import { softmaxCrossEntropy } from '../ops/index.js';
import { checkNumber, checkOptions } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';

export interface SoftmaxCrossEntropyOptions {
  /** The part of the target that is spread evenly over all classes, from 0 (default) to 1. */
  labelSmoothing?: number;
}

/**
 * -log softmax(logits)[label] per sample: logits [n, classes], labels int32 [n] -> [n], not reduced.
 * Label smoothing: Szegedy et al., "Rethinking the Inception architecture", 2016, section 7.
 */
export class SoftmaxCrossEntropyLoss extends Block {
  readonly labelSmoothing: number;
  constructor(options: SoftmaxCrossEntropyOptions = {}) {
    super();
    checkOptions('SoftmaxCrossEntropyLoss', options, ['labelSmoothing']);
    this.labelSmoothing = checkNumber('SoftmaxCrossEntropyLoss', 'labelSmoothing', options.labelSmoothing ?? 0, {
      min: 0,
      max: 1,
    });
  }
  override forward(logits: Tensor, labels: Tensor): Tensor {
    return softmaxCrossEntropy(logits, labels, { labelSmoothing: this.labelSmoothing });
  }
}
