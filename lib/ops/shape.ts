// Ops that change a shape and no value: reshape, flatten, broadcastTo, and broadcasting's way back.
import { recordOp } from '../autograd/tape.js';
import { ShapeError } from '../errors.js';
import { checkShape } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { run1 } from './run.js';

/** The same values, in row-major order, in another shape. One -1 stands for what is left. Shares the values where it can. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  checkTensors('reshape', { x });
  const y = run1('reshape', { shape: resolve(x, shape) }, [x]);
  const before = x.shape;
  recordOp('reshape', [x], y, [], (dy) => [run1('reshape', { shape: before }, [dy])]);
  return y;
}

/** [n, ...] -> [n, the rest] */
export function flatten(x: Tensor): Tensor {
  checkTensors('flatten', { x });
  if (x.ndim === 0)
    throw new ShapeError('flatten expected a tensor with a batch axis, got a scalar.', { shape: x.shape });
  const [n, ...rest] = x.shape as [number, ...number[]];
  return reshape(x, [n, rest.reduce((product, d) => product * d, 1)]);
}

/** Repeats values along new axes in front and along axes of size 1, by NumPy's rules. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  checkTensors('broadcastTo', { x });
  const y = run1('broadcastTo', { shape: checkShape(shape) }, [x]);
  const before = x.shape;
  recordOp('broadcastTo', [x], y, [], (dy) => [sumTo(dy, before)]);
  return y;
}

/** Sums over the axes along which `shape` was broadcast to x's shape; x itself where there are none. Internal: records nothing. */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const added = x.ndim - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < added || (shape[axis - added] === 1 && x.shape[axis] !== 1));
  const sums = axes.length > 0 ? run1('sum', { axes, keepDims: true }, [x]) : x;
  return added > 0 ? run1('reshape', { shape }, [sums]) : sums;
}

/** The shape with -1 replaced by what is left of x's size. */
function resolve(x: Tensor, shape: readonly number[]): readonly number[] {
  const open = Array.isArray(shape) ? shape.indexOf(-1) : -1;
  if (open < 0) return checkShape(shape);
  const others = checkShape(shape.toSpliced(open, 1)).reduce((product, d) => product * d, 1);
  const left = x.size / others;
  if (!Number.isInteger(left)) {
    throw new ShapeError(
      `reshape expected a shape of ${x.size} elements, got [${shape.join(', ')}] for a tensor of shape [${x.shape.join(', ')}].`,
      { from: x.shape, to: shape },
    );
  }
  return shape.with(open, left);
}
