// Arithmetic of two operands with NumPy's broadcasting; a number becomes a scalar of the other's type.
import { needsGrad, recordOp } from '../autograd/tape.js';
import { ConfigError, DTypeError } from '../errors.js';
import { tensor } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { kindOf } from './attributes.js';
import { inPrecision } from './mixed.js';
import { run1 } from './run.js';
import { sumTo } from './shape.js';

export type Operand = Tensor | number;

/** a + b */
export function add(a: Operand, b: Operand): Tensor {
  return withOperands('add', a, b, (left, right) => {
    const y = run1('add', {}, [left, right]);
    const { shape } = left;
    const { shape: otherShape } = right;
    recordOp('add', [left, right], y, [], (dy, _, [needsA, needsB]) => [
      needsA ? sumTo(dy, shape) : null,
      needsB ? sumTo(dy, otherShape) : null,
    ]);
    return y;
  });
}

/** a - b */
export function sub(a: Operand, b: Operand): Tensor {
  return withOperands('sub', a, b, (left, right) => {
    const y = run1('sub', {}, [left, right]);
    const { shape } = left;
    const { shape: otherShape } = right;
    recordOp('sub', [left, right], y, [], (dy, _, [needsA, needsB]) => [
      needsA ? sumTo(dy, shape) : null,
      needsB ? negative(sumTo(dy, otherShape)) : null,
    ]);
    return y;
  });
}

/** a * b, element by element */
export function mul(a: Operand, b: Operand): Tensor {
  return withOperands('mul', a, b, (left, right) => {
    const y = run1('mul', {}, [left, right]);
    const { shape } = left;
    const { shape: otherShape } = right;
    const saved = [needsGrad(right) ? left : null, needsGrad(left) ? right : null] as const;
    recordOp('mul', [left, right], y, saved, (dy, [savedA, savedB], [needsA, needsB]) => [
      needsA ? sumTo(run1('mul', {}, [dy, savedB as Tensor]), shape) : null,
      needsB ? sumTo(run1('mul', {}, [dy, savedA as Tensor]), otherShape) : null,
    ]);
    return y;
  });
}

/** a / b, element by element */
export function div(a: Operand, b: Operand): Tensor {
  return withOperands('div', a, b, (left, right) => {
    const y = run1('div', {}, [left, right]);
    const { shape } = left;
    const { shape: otherShape } = right;
    recordOp(
      'div',
      [left, right],
      y,
      [right, needsGrad(right) ? y : null],
      (dy, [savedB, savedY], [needsA, needsB]) => {
        const dyOverB = run1('div', {}, [dy, savedB]); // d(a / b)/da = 1 / b,  d(a / b)/db = -(a / b) / b
        return [
          needsA ? sumTo(dyOverB, shape) : null,
          needsB ? negative(sumTo(run1('mul', {}, [dyOverB, savedY as Tensor]), otherShape)) : null,
        ];
      },
    );
    return y;
  });
}

/** uint8: 1 where a equals b, else 0. Has no gradient: the result has no history. */
export function equal(a: Operand, b: Operand): Tensor {
  return withOperands('equal', a, b, (left, right) => run1('equal', {}, [left, right]));
}

/** Runs `fn` with both operands as tensors; the scalars made for numbers are freed after it. */
function withOperands(op: string, a: Operand, b: Operand, fn: (a: Tensor, b: Tensor) => Tensor): Tensor {
  if (a instanceof Tensor && b instanceof Tensor) return inPrecision(op, [a, b], fn);
  if (a instanceof Tensor && typeof b === 'number') return tidy(() => fn(a, scalarLike(op, b, a)));
  if (b instanceof Tensor && typeof a === 'number') return tidy(() => fn(scalarLike(op, a, b), b));
  throw new ConfigError(`${op} expected two tensors or a tensor and a number, got ${kindOf(a)} and ${kindOf(b)}.`, {
    op,
  });
}

const integerRange = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255] } as const;

/** `value` as a scalar of the other's type and device. Throws DTypeError where an integer type cannot hold it. */
function scalarLike(op: string, value: number, other: Tensor): Tensor {
  const { dtype, device } = other;
  if (dtype === 'int32' || dtype === 'uint8') {
    const [low, high] = integerRange[dtype];
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new DTypeError(
        `${op} expected a number that ${dtype} can hold beside a tensor of that type, got ${value}. Use astype('float32').`,
        { op, dtype, value },
      );
    }
  }
  return tensor(value, { dtype, device });
}

function negative(x: Tensor): Tensor {
  return run1('mul', {}, [x, scalarLike('mul', -1, x)]);
}
