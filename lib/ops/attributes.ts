// Checks of what JavaScript passes to ops, beyond options: tensors, axes. Shapes and types of tensors are checked natively.
import { ConfigError, ShapeError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

/** What a value is, in a word: 'string', 'null', 'array', 'Map'. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object') return typeof value;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return name && name !== 'Object' ? name : 'object';
}

/** Throws ConfigError unless every argument is a Tensor. The keys are the arguments' names. */
export function checkTensors(op: string, args: Readonly<Record<string, unknown>>): void {
  for (const name in args) {
    if (args[name] instanceof Tensor) continue;
    throw new ConfigError(`${op}: ${name} expected a Tensor, got ${kindOf(args[name])}.`, { op, argument: name });
  }
}

/** As `checkTensors`, for a list. */
export function checkTensorList(op: string, name: string, list: readonly unknown[]): void {
  const other = list.findIndex((item) => !(item instanceof Tensor));
  if (other >= 0)
    throw new ConfigError(`${op}: ${name}[${other}] expected a Tensor, got ${kindOf(list[other])}.`, {
      op,
      argument: name,
    });
}

/** An axis counted from the front: -1 becomes ndim - 1. Throws ShapeError. */
export function axisOf(op: string, axis: unknown, ndim: number): number {
  if (!Number.isInteger(axis) || (axis as number) < -ndim || (axis as number) >= ndim) {
    const range = ndim === 0 ? 'none, for a scalar has no axes' : `an integer from ${-ndim} to ${ndim - 1}`;
    throw new ShapeError(`${op}: axis expected ${range}, got ${typeof axis === 'number' ? axis : kindOf(axis)}.`, {
      op,
      axis,
      ndim,
    });
  }
  return (axis as number) < 0 ? (axis as number) + ndim : (axis as number);
}

/** The axes counted from the front, in order: all of them for undefined. Throws ShapeError, for an axis named twice too. */
export function axesOf(op: string, axis: number | readonly number[] | undefined, ndim: number): number[] {
  if (axis === undefined) return Array.from({ length: ndim }, (_, i) => i);
  const axes = (Array.isArray(axis) ? axis : [axis]).map((each) => axisOf(op, each, ndim));
  if (new Set(axes).size !== axes.length)
    throw new ShapeError(`${op}: axis expected each axis once, got [${axes.join(', ')}].`, { op, axis });
  return axes.sort((a, b) => a - b);
}

/** Height and width of a batch of images [n, channels, height, width]. Throws ShapeError for another number of axes. */
export function imageSize(op: string, name: string, tensor: Tensor): readonly [number, number] {
  const [, , height, width] = tensor.shape;
  if (tensor.ndim !== 4) {
    throw new ShapeError(
      `${op}: ${name} expected 4 axes [n, channels, height, width], got shape [${tensor.shape.join(', ')}].`,
      { op, shape: tensor.shape },
    );
  }
  return [height as number, width as number];
}
