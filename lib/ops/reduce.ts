// Reductions over axes: sum, mean, and the index of the largest.
import { recordOp } from '../autograd/tape.js';
import { checkBoolean, checkOptions } from '../options.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { axesOf, axisOf, checkTensors } from './attributes.js';
import { castGradient } from './cast.js';
import { inPrecision } from './mixed.js';
import { run1 } from './run.js';

export interface ReduceOptions {
  /** Keep the reduced axes with size 1. Default false. */
  keepDims?: boolean;
}

/** Sums over one axis, several, or all of them (a scalar, shape []). Axes may be negative: -1 is the last. */
export function sum(x: Tensor, axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const { attributes, kept } = prepare('sum', x, axis, options);
  return inPrecision('sum', [x], (input) => {
    const y = run1('sum', attributes, [input]);
    const { shape } = input;
    recordOp('sum', [input], y, [], (dy) => [spread(dy, kept, shape)]);
    return y;
  });
}

/** Means over one axis, several, or all of them (a scalar, shape []). Axes may be negative: -1 is the last. */
export function mean(x: Tensor, axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const { attributes, kept } = prepare('mean', x, axis, options);
  return inPrecision('mean', [x], (input) => {
    const y = run1('mean', attributes, [input]);
    const { shape } = input;
    const share = y.size / input.size;
    recordOp('mean', [input], y, [], (dy) => {
      const scalar = tensor(share, { dtype: dy.dtype, device: dy.device });
      return [spread(run1('mul', {}, [dy, scalar]), kept, shape)];
    });
    return y;
  });
}

/** The sum of a gradient of 16 or 32 bits over `axes`, in float32: the gradient of a bias. Internal: records nothing. */
export function sumFloat32(dy: Tensor, axes: readonly number[]): Tensor {
  return run1('sum', { axes, keepDims: false }, [castGradient(dy, 'float32')]);
}

/** int32 indices of the largest values along `axis` (by default the last), the first of equals. Has no gradient: the result has no history. */
export function argmax(x: Tensor, axis = -1): Tensor {
  checkTensors('argmax', { x });
  return run1('argmax', { axis: axisOf('argmax', axis, x.ndim) }, [x]);
}

/** The attributes of a reduction, and the result's shape as if the reduced axes were kept. */
function prepare(op: string, x: Tensor, axis: number | readonly number[] | undefined, options: ReduceOptions) {
  checkTensors(op, { x });
  checkOptions(op, options, ['keepDims']);
  const axes = axesOf(op, axis, x.ndim);
  const keepDims = checkBoolean(op, 'keepDims', options.keepDims ?? false);
  return { attributes: { axes, keepDims }, kept: x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) };
}

/** Repeats the gradient of a reduction over the reduced axes. */
function spread(dy: Tensor, kept: readonly number[], shape: readonly number[]): Tensor {
  return run1('broadcastTo', { shape }, [run1('reshape', { shape: kept }, [dy])]);
}
