// Rectified linear units, alone and after a sum.
import { recordOp } from '../autograd/tape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { inPrecision } from './mixed.js';
import { run1 } from './run.js';

/** max(x, 0). The gradient at 0 is 0. */
export function relu(x: Tensor): Tensor {
  checkTensors('relu', { x });
  return inPrecision('relu', [x], (input) => {
    const y = run1('relu', {}, [input]);
    recordOp('relu', [input], y, [y], (dy, [savedY]) => [run1('reluBackward', {}, [dy, savedY])]);
    return y;
  });
}

/** max(a + b, 0) of two tensors of one shape: the end of a residual block, in one pass. */
export function addRelu(a: Tensor, b: Tensor): Tensor {
  checkTensors('addRelu', { a, b });
  return inPrecision('addRelu', [a, b], (left, right) => {
    const y = run1('addRelu', {}, [left, right]);
    recordOp('addRelu', [left, right], y, [y], (dy, [savedY]) => {
      const dSum = run1('reluBackward', {}, [dy, savedY]);
      return [dSum, dSum];
    });
    return y;
  });
}
