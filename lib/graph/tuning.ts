// Planning without choosing algorithms by timing them.
import type { NativeBackend } from '../native.js';

const depths = new WeakMap<NativeBackend, number>(); // calls under way

/** Calls `fn`; what is planned meanwhile computes directly, the same bits in every process, unless a choice is known. */
export function withoutTuning<T>(backend: NativeBackend, fn: () => T): T {
  const depth = depths.get(backend) ?? 0;
  depths.set(backend, depth + 1);
  if (depth === 0) backend.setTuning(false);
  try {
    return fn();
  } finally {
    depths.set(backend, depth);
    if (depth === 0) backend.setTuning(true);
  }
}
