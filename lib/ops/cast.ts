// Conversion between element types.
import { recordOp } from '../autograd/tape.js';
import { DTypeError } from '../errors.js';
import type { DType } from '../native.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors, kindOf } from './attributes.js';
import { copy } from './copy.js';
import { run1 } from './run.js';

const dtypes: readonly string[] = ['float32', 'bfloat16', 'float16', 'int32', 'uint8'] satisfies DType[];

/** Whether gradients can flow through values of this type. */
export const isFloat = (dtype: DType): boolean => dtype !== 'int32' && dtype !== 'uint8';

/** Throws DTypeError unless `dtype` is the name of an element type. */
export function checkDType(dtype: DType): DType {
  if (dtypes.includes(dtype)) return dtype;
  const found = typeof dtype === 'string' ? `'${dtype}'` : kindOf(dtype);
  throw new DTypeError(`Expected dtype to be one of ${dtypes.join(', ')}, got ${found}.`, { dtype });
}

/** A copy of another type. Between floating-point types gradients flow back; integers have none. */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkTensors('cast', { x });
  checkDType(dtype);
  const from = x.dtype;
  if (dtype === from) return copy(x);
  const y = run1('cast', { dtype }, [x]);
  if (isFloat(dtype)) recordOp('cast', [x], y, [], (dy) => [castGradient(dy, from)]);
  return y;
}

/** A gradient in the type of what it belongs to; itself where it has that type. Internal: records nothing. */
export function castGradient(dy: Tensor, dtype: DType): Tensor {
  return dy.dtype === dtype ? dy : run1('cast', { dtype }, [dy]);
}
