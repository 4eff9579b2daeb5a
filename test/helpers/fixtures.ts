// Reads the fixtures that scripts/fixtures wrote with PyTorch, and makes their inputs.
import { readFileSync } from 'node:fs';
import { type Device, type DType, type Tensor, tensor } from '../../lib/index.js';
import { integerValues, sizeOf, uniformValues } from './values.js';

/** How the values of an input are made, in scripts/fixtures/fixture.py. */
export type InputSpec = { shape: number[]; seed: number; grad?: boolean } & (
  | { kind: 'uniform'; scale: number; offset: number }
  | { kind: 'integers'; below: number; dtype: DType }
);

/** float32 values, base64. */
export interface Encoded {
  shape: number[];
  data: string;
}

export interface FixtureCase {
  name: string;
  options: Record<string, unknown>;
  inputs: Record<string, InputSpec>;
  /** The type of the result. */
  dtype: DType;
  /** The gradient of the result, where gradients are part of the case. */
  head?: InputSpec;
  /** 'y', 'grad.<input>', 'after.<input>' */
  expected: Record<string, Encoded>;
}

export function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8')) as T;
}

export function fixtureCases(op: string): FixtureCase[] {
  return readJson<{ cases: FixtureCase[] }>(op).cases;
}

export function decode({ data }: Encoded): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(data, 'base64')).buffer);
}

/** The values that a description stands for. */
export function valuesOf(spec: InputSpec): Float32Array | Int32Array {
  const size = sizeOf(spec.shape);
  return spec.kind === 'integers'
    ? integerValues(size, spec.seed, spec.below)
    : uniformValues(size, spec.seed, spec.scale, spec.offset);
}

/** The tensor that a description stands for, wanting a gradient where the description says so. */
export function makeTensor(spec: InputSpec, device: Device): Tensor {
  const made = tensor(valuesOf(spec), {
    shape: spec.shape,
    dtype: spec.kind === 'integers' ? spec.dtype : 'float32',
    device,
  });
  made.requiresGrad = spec.grad ?? false;
  return made;
}

export function makeInputs(specs: Record<string, InputSpec>, device: Device): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, makeTensor(spec, device)]));
}
