// Whether there is a NaN or an infinity in what a net computes or has learnt. Looked for on the device.
import type { ParameterDict } from '../nn/parameter-dict.js';
import { isFloat } from '../ops/cast.js';
import { allFinite } from '../ops/sgd.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Whether all values of these tensors, which are on one device, are finite. */
export function areFinite(tensors: readonly Tensor[]): boolean {
  const floats = tensors.filter(({ dtype }) => isFloat(dtype));
  return floats.length === 0 || tidy(() => allFinite(floats).item() === 1);
}

/** Name of the first weight or running statistic with NaN or infinity; null where there is none. */
export function firstBadParameter(parameters: ParameterDict): string | null {
  const known = [...parameters].filter(([, parameter]) => parameter.initialized);
  if (areFinite(known.map(([, parameter]) => parameter.data()))) return null;
  return known.find(([, parameter]) => !areFinite([parameter.data()]))?.[0] ?? null;
}
