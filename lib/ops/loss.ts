// The classification loss.
import { recordOp } from '../autograd/tape.js';
import { checkNumber, checkOptions } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { run1 } from './run.js';

export interface SoftmaxCrossEntropyOptions {
  /**
   * Part of the target spread evenly over all classes, from 0 to 1 (Szegedy et al. 2016, "Rethinking the Inception
   * Architecture for Computer Vision", section 7). Default 0.
   */
  labelSmoothing?: number;
}

/**
 * -log(softmax(logits)[label]) of each sample, not reduced.
 *
 * logits [n, classes], labels int32 [n] with values from 0 to classes - 1 -> losses [n].
 * A label out of range is an error when the losses, or what was computed from them, are read.
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor, options: SoftmaxCrossEntropyOptions = {}): Tensor {
  checkTensors('softmaxCrossEntropy', { logits, labels });
  checkOptions('softmaxCrossEntropy', options, ['labelSmoothing']);
  const labelSmoothing = checkNumber('softmaxCrossEntropy', 'labelSmoothing', options.labelSmoothing ?? 0, {
    min: 0,
    max: 1,
  });
  const losses = run1('softmaxCrossEntropy', { labelSmoothing }, [logits, labels]);
  const saved = [logits, labels, losses] as const; // with the losses, so that a bad label fails once and not again here
  recordOp('softmaxCrossEntropy', [logits], losses, saved, (dLosses, [savedLogits, savedLabels, savedLosses]) => [
    run1('softmaxCrossEntropyBackward', { labelSmoothing }, [savedLogits, savedLabels, dLosses, savedLosses]),
  ]);
  return losses;
}
