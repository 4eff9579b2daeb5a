// Functions that make tensors from values, shapes and random numbers.
import { backendOf, currentDevice, type Device } from '../device.js';
import { DTypeError, ShapeError } from '../errors.js';
import { type DType, native, type TypedArray } from '../native.js';
import { kindOf } from '../ops/attributes.js';
import { checkDType, isFloat } from '../ops/cast.js';
import { broadcastTo, cast } from '../ops/index.js';
import { checkInteger, checkNumber, checkOptions } from '../options.js';
import { flatten, type NestedArray } from './format.js';
import { randomStream } from './random.js';
import { tidy } from './scope.js';
import { Tensor } from './tensor.js';

export interface TensorOptions {
  /** Default 'float32', or what a typed array tells. */
  dtype?: DType;
  /** Default: the one of `setDevice`. */
  device?: Device;
}

const arrayOf = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;
const maxAxes = 8;

/** Copies values of the type's own form to a device. Internal. */
export function fromHost(values: TypedArray, shape: readonly number[], dtype: DType, device: Device): Tensor {
  return new Tensor(backendOf(device).fromHost(values, shape, dtype), device);
}

/** Checks a shape from outside: at most 8 non-negative integers, of a product below 2^53. Throws ShapeError. */
export function checkShape(shape: readonly number[], name = 'shape'): readonly number[] {
  const isShape =
    Array.isArray(shape) && shape.length <= maxAxes && shape.every((d) => Number.isSafeInteger(d) && d >= 0);
  if (!isShape || !Number.isSafeInteger(sizeOf(shape))) {
    const found = Array.isArray(shape)
      ? `[${shape.map((d) => (typeof d === 'number' ? d : kindOf(d))).join(', ')}]`
      : kindOf(shape);
    throw new ShapeError(
      `Expected ${name} to be an array of at most ${maxAxes} non-negative integers with a product below 2^53, got ${found}.`,
      { [name]: shape },
    );
  }
  return shape;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/**
 * Makes a tensor of values: a number (a scalar, shape []), nested arrays, or a typed array in row-major order.
 * The type is float32 unless given or told by an Int32Array or Uint8Array; values convert as typed arrays do.
 * Throws ShapeError (ragged arrays, values that do not fill `shape`), DTypeError.
 */
export function tensor(
  values: number | NestedArray | TypedArray,
  options: TensorOptions & { shape?: readonly number[] } = {},
): Tensor {
  checkOptions('tensor', options, ['shape', 'dtype', 'device']);
  const flat = flatten(values);
  const dtype = checkDType(options.dtype ?? flat.dtype);
  const device = options.device ?? currentDevice();
  const shape = checkShape(options.shape ?? flat.shape);
  if (sizeOf(shape) !== flat.values.length) {
    throw new ShapeError(
      `tensor expected ${sizeOf(shape)} values for shape [${shape.join(', ')}], got ${flat.values.length}.`,
      { shape, values: flat.values.length },
    );
  }
  if (dtype === 'bfloat16' || dtype === 'float16') {
    return tidy(() => cast(fromHost(Float32Array.from(flat.values), shape, 'float32', device), dtype));
  }
  const ArrayType = arrayOf[dtype];
  return fromHost(flat.values instanceof ArrayType ? flat.values : ArrayType.from(flat.values), shape, dtype, device);
}

/** A tensor in which every element is `value`. */
export function full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
  checkOptions('full', options, ['dtype', 'device']);
  checkShape(shape);
  return tidy(() => broadcastTo(tensor(value, options), shape));
}

export function zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/** 0, 1, ..., n - 1. n is at most 2^24, up to which float32 counts. */
export function arange(n: number, options: TensorOptions = {}): Tensor {
  checkInteger('arange', 'n', n, 0);
  if (n > 2 ** 24) throw new ShapeError(`arange expected at most 2^24 elements, got ${n}.`, { n });
  return tensor(
    Float32Array.from({ length: n }, (_, i) => i),
    { dtype: 'float32', ...options },
  );
}

/** Values drawn evenly from [low, high), by default [0, 1). */
export function uniform(
  shape: readonly number[],
  options: TensorOptions & { low?: number; high?: number } = {},
): Tensor {
  checkOptions('uniform', options, ['low', 'high', 'dtype', 'device']);
  const low = checkNumber('uniform', 'low', options.low ?? 0);
  const high = checkNumber('uniform', 'high', options.high ?? 1, { min: low });
  return draw('uniform', shape, options, (size, { seed, stream }) =>
    native().randomUniform(size, seed, stream, low, high),
  );
}

/** Values of a normal distribution, by default of mean 0 and standard deviation 1. */
export function normal(
  shape: readonly number[],
  options: TensorOptions & { mean?: number; std?: number } = {},
): Tensor {
  checkOptions('normal', options, ['mean', 'std', 'dtype', 'device']);
  const mean = checkNumber('normal', 'mean', options.mean ?? 0);
  const std = checkNumber('normal', 'std', options.std ?? 1, { min: 0 });
  return draw('normal', shape, options, (size, { seed, stream }) =>
    native().randomNormal(size, seed, stream, mean, std),
  );
}

/** A floating-point tensor of random values from a stream of its own. */
function draw(
  name: string,
  shape: readonly number[],
  { dtype = 'float32', device }: TensorOptions,
  values: (size: number, random: { seed: number; stream: number }) => Float32Array,
): Tensor {
  if (!isFloat(checkDType(dtype)))
    throw new DTypeError(`${name} expected a floating-point dtype, got ${dtype}.`, { dtype });
  return tensor(values(sizeOf(checkShape(shape)), randomStream()), { shape, dtype, device });
}
