// How long each op takes on the CPU: where a step's time goes.
import { backendOf, cpu } from './device.js';
import { flushDeferred } from './graph/deferral.js';
import type { OpTime } from './native.js';

/**
 * Runs `fn` and returns the time of each op that it ran on the CPU, in milliseconds, in order of execution. Ops of captured
 * and hybridized code appear as the passes left them (`conv2dFused`). Nothing is timed before and after, nor on a GPU.
 * Errors: those of `fn`.
 */
export async function profile(fn: () => unknown): Promise<OpTime[]> {
  const backend = backendOf(cpu());
  flushDeferred(); // what was recorded before is not fn's
  backend.takeProfile();
  backend.profile(true);
  try {
    await fn();
    flushDeferred();
  } finally {
    backend.profile(false);
  }
  return backend.takeProfile();
}
