// Whether numbers are all finite: of tensors, and of everything that a net has learnt.
import type { ParameterDict } from '../nn/parameter-dict.js';

/** Whether there is no NaN and no infinity. */
export function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** Name of the first weight or running statistic with NaN or infinity; null where there is none. */
export async function firstBadParameter(parameters: ParameterDict): Promise<string | null> {
  for (const [name, parameter] of parameters)
    if (parameter.initialized && !allFinite(await parameter.data().data())) return name;
  return null;
}
