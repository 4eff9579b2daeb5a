// The seed of the one counter-based generator (Philox 4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
// Each draw takes a stream of its own, (seed, stream), so that the numbers are the same on every device.
import { ConfigError } from '../errors.js';

export interface RandomState {
  seed: number;
  /** The next unused stream. */
  stream: number;
}

let state: RandomState = { seed: Math.floor(Math.random() * 2 ** 31), stream: 0 };

/** Seeds every random choice that follows: initial weights, shuffles, dropout. An integer from 0 to 2^53 - 1. */
export function seed(n: number): void {
  if (!Number.isSafeInteger(n) || n < 0)
    throw new ConfigError(`seed() expected an integer from 0 to 2^53 - 1, got ${n}.`, { seed: n });
  state = { seed: n, stream: 0 };
}

/** Takes the next unused stream of the generator. */
export function randomStream(): RandomState {
  const taken = { ...state };
  state.stream += 1;
  return taken;
}

/** The generator's whole state, for checkpoints. */
export function randomState(): RandomState {
  return { ...state };
}

/** Goes back to a state that `randomState` gave. */
export function setRandomState(to: RandomState): void {
  state = { ...to };
}
