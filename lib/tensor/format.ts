// Nested arrays: to flat values and back, and tensors as text.
import { DTypeError, ShapeError } from '../errors.js';
import type { DType, TypedArray } from '../native.js';
import { kindOf } from '../ops/attributes.js';
import type { Tensor } from './tensor.js';

export type NestedArray = readonly (number | NestedArray)[];

interface Flat {
  values: ArrayLike<number> & Iterable<number>;
  shape: number[];
  dtype: DType;
}

const maxDepth = 8; // axes that a tensor can have

/** Flat values, shape and natural type of what a user passes. */
export function flatten(values: number | NestedArray | TypedArray): Flat {
  if (typeof values === 'number') return { values: [values], shape: [], dtype: 'float32' };
  if (ArrayBuffer.isView(values)) return flattenTyped(values);
  if (!Array.isArray(values))
    throw new ShapeError(`Expected a number, a nested array or a typed array, got ${kindOf(values)}.`);
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > maxDepth)
      throw new ShapeError(`Expected arrays nested at most ${maxDepth} deep, got a deeper one.`);
  }
  const flat: number[] = [];
  walk(values, shape, 0, flat);
  return { values: flat, shape, dtype: 'float32' };
}

function flattenTyped(values: TypedArray): Flat {
  const shape = [values.length];
  if (values instanceof Int32Array) return { values, shape, dtype: 'int32' };
  if (values instanceof Uint8Array) return { values, shape, dtype: 'uint8' };
  if (typeof values.length !== 'number' || typeof values[0] === 'bigint')
    throw new DTypeError(`Expected a typed array of numbers, got ${kindOf(values)}.`);
  return { values, shape, dtype: 'float32' };
}

function walk(values: NestedArray, shape: readonly number[], depth: number, flat: number[]): void {
  if (values.length !== shape[depth]) {
    throw new ShapeError(
      `Expected all arrays at depth ${depth} to have ${shape[depth]} elements, got one with ${values.length}.`,
      { depth },
    );
  }
  const isRow = depth === shape.length - 1;
  for (const value of values) {
    if (isRow ? typeof value !== 'number' : !Array.isArray(value)) {
      throw new ShapeError(`Expected ${isRow ? 'numbers' : 'arrays'} at depth ${depth + 1}, got ${kindOf(value)}.`, {
        depth,
      });
    }
    if (typeof value === 'number') flat.push(value);
    else walk(value, shape, depth + 1, flat);
  }
}

/** Nested arrays of the shape; a number for shape []. */
export function nest(values: ArrayLike<number>, shape: readonly number[], offset = 0): NestedArray | number {
  const [length, ...rest] = shape;
  if (length === undefined) return values[offset] as number;
  const step = rest.reduce((n, d) => n * d, 1);
  return Array.from({ length }, (_, i) => nest(values, rest, offset + i * step));
}

const edge = 3; // elements shown at each end of a long axis

/** 'Tensor [2, 3] float32 cpu' and the values, shortened. */
export function formatTensor(tensor: Tensor): string {
  const head = `Tensor [${tensor.shape.join(', ')}] ${tensor.dtype} ${tensor.device.name}`;
  return tensor.disposed ? `${head} (disposed)` : `${head}\n${formatValues(tensor.dataSync(), tensor.shape, 0, '')}`;
}

/** The values of `shape` from `offset` on, as nested rows. */
function formatValues(values: TypedArray, shape: readonly number[], offset: number, indent: string): string {
  const [length, ...rest] = shape;
  if (length === undefined) return formatNumber(values[offset] as number);
  const step = rest.reduce((n, d) => n * d, 1);
  const part = (i: number): string => formatValues(values, rest, offset + i * step, `${indent} `);
  const indices = [...Array(Math.min(length, 2 * edge + 2)).keys()];
  const parts =
    length <= indices.length
      ? indices.map(part)
      : [
          ...indices.slice(0, edge).map(part),
          '...',
          ...indices.slice(-edge).map((i) => part(i + length - indices.length)),
        ];
  return `[${parts.join(rest.length === 0 ? ', ' : `,\n${indent} `)}]`;
}

const formatNumber = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(5));
