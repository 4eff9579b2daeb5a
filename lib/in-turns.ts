// Long work of JavaScript in steps, so that the event loop can turn between them: for timers, and for Ctrl-C.
import { setImmediate as turn } from 'node:timers/promises';

/** So long others wait at most, where a step is short. */
const turnMs = 50;

/** Does all steps and returns what the generator does. The event loop turns in between. */
export async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - since < turnMs) continue;
    await turn();
    since = performance.now();
  }
}

/** The same without a turn. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
