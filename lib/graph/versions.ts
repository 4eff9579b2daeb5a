// Tells whether a tensor still has the values it had: its identity, and how often ops have updated it in place.
import type { NativeTensor, OpAttributes } from '../native.js';
import { updatedInputs } from './program.js';

interface Stamp {
  id: number;
  version: number;
}

const stamps = new WeakMap<NativeTensor, Stamp>();
let nextId = 1;

function stampOf(native: NativeTensor): Stamp {
  let stamp = stamps.get(native);
  if (!stamp) {
    stamp = { id: nextId++, version: 0 };
    stamps.set(native, stamp);
  }
  return stamp;
}

/** Text that is equal as long as these are the same tensors with the same values. */
export function stampText(natives: readonly NativeTensor[]): string {
  return natives
    .map((native) => {
      const { id, version } = stampOf(native);
      return `${id}.${version}`;
    })
    .join();
}

/** Notes that a tensor is updated in place. */
export function noteUpdate(updated: NativeTensor): void {
  stampOf(updated).version += 1;
}

/** Notes what an op that is run or recorded updates in place. */
export function noteUpdates(op: string, attributes: OpAttributes, inputs: readonly NativeTensor[]): void {
  for (const position of updatedInputs(op, attributes, inputs.length)) {
    const updated = inputs[position];
    if (updated) noteUpdate(updated); // an input that is missing is refused below
  }
}
