// Softmax along an axis, and its logarithm.
import { recordOp } from '../autograd/tape.js';
import type { Tensor } from '../tensor/tensor.js';
import { axisOf, checkTensors } from './attributes.js';
import { inPrecision } from './mixed.js';
import { run1 } from './run.js';

/** exp(x) / sum(exp(x)) along `axis`, by default the last. */
export function softmax(x: Tensor, axis = -1): Tensor {
  checkTensors('softmax', { x });
  const attributes = { axis: axisOf('softmax', axis, x.ndim) };
  return inPrecision('softmax', [x], (input) => {
    const y = run1('softmax', attributes, [input]);
    recordOp('softmax', [input], y, [y], (dy, [savedY]) => [run1('softmaxBackward', attributes, [savedY, dy])]);
    return y;
  });
}

/** x - log(sum(exp(x))) along `axis`, by default the last: the logarithm of `softmax` without its rounding. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  checkTensors('logSoftmax', { x });
  const attributes = { axis: axisOf('logSoftmax', axis, x.ndim) };
  return inPrecision('logSoftmax', [x], (input) => {
    const y = run1('logSoftmax', attributes, [input]);
    recordOp('logSoftmax', [input], y, [y], (dy, [savedY]) => [run1('logSoftmaxBackward', attributes, [savedY, dy])]);
    return y;
  });
}
