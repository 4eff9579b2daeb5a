// Collects garbage on demand: what earlier tests left behind must not be freed in the middle of a leak check.
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Frees every tensor that nobody refers to any more. Finalizers run in later turns of the event loop, hence the second round. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 2; round++) {
    gc();
    await setTimeout(10);
  }
}
