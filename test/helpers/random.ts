// A small seeded generator for random test cases: the same cases in every run.
import { hashed } from './values.js';

export class Random {
  #seed: number;
  constructor(seed: number) {
    this.#seed = seed * 100_003;
  }
  /** From low to high, both possible. */
  integer(low: number, high: number): number {
    this.#seed += 1;
    return low + ((hashed(this.#seed, 1)[0] as number) % (high - low + 1));
  }
  choose<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)] as T;
  }
}
