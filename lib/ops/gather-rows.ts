// Rows of a tensor, picked by index.
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { run1 } from './run.js';

/**
 * The rows of x with these numbers, in this order. x [n, ...] of any type, indices int32 [b] -> y [b, ...].
 * An index out of range is an error when the result, or what was computed from it, is read. Has no gradient: the result has no history.
 */
export function gatherRows(x: Tensor, indices: Tensor): Tensor {
  checkTensors('gatherRows', { x, indices });
  return run1('gatherRows', {}, [x, indices]);
}
