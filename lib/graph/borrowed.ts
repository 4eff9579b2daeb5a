// Tensors that a recording reads. They are borrowed, not shared, which would be a native call for each parameter at every step: one that
// its owner disposes meanwhile lives on until the recording has run.
import type { NativeTensor } from '../native.js';

const borrowed = new Map<NativeTensor, boolean>(); // true: its owner has disposed it

export function borrow(native: NativeTensor): void {
  borrowed.set(native, false);
}

/** The recording has run: what was disposed meanwhile goes. */
export function giveBack(natives: readonly NativeTensor[]): void {
  for (const native of natives) {
    const isDisposed = borrowed.get(native);
    borrowed.delete(native);
    if (isDisposed) native.dispose();
  }
}

/** How the owner of a tensor disposes it. Twice is harmless. */
export function disposeNative(native: NativeTensor): void {
  if (borrowed.has(native)) borrowed.set(native, true);
  else native.dispose();
}
