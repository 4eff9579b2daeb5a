// All that a small safetensors file holds, for tests.
import { floatTypes } from '../../lib/interop/dtypes.js';
import { usingSafetensors } from '../../lib/interop/safetensors.js';

export interface ReadTensor {
  dtype: string;
  shape: readonly number[];
  /** Empty where the type is none of weights. */
  values: Float32Array;
}

export interface ReadSafetensors {
  tensors: Map<string, ReadTensor>;
  metadata: ReadonlyMap<string, string>;
}

/** Reads header and values. Throws what the library throws. */
export function readSafetensors(file: string): Promise<ReadSafetensors> {
  return usingSafetensors(file, async (source) => {
    const tensors = new Map<string, ReadTensor>();
    for (const [name, { dtype, shape }] of source.tensors) {
      const values = floatTypes.includes(dtype) ? await source.readFloats(name) : new Float32Array();
      tensors.set(name, { dtype, shape, values });
    }
    return { tensors, metadata: source.metadata };
  });
}
