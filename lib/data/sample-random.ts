// Random numbers of one sample: Philox 4x32-10 (Salmon et al. 2011), as native/core/philox.h, without the addon, for worker threads.

/** Where a sample's numbers come from. They depend on nothing else: not on workers, batches or what was drawn before. */
export interface SampleKey {
  seed: number;
  /** Below 2^32. */
  stream: number;
  /** Counted from 0. */
  epoch: number;
  /** The sample's place in the epoch, counted from 0. */
  position: number;
}

const rounds = 10;

/** One block: four words from a counter of four words and a key of two. */
export function philox(counter: ArrayLike<number>, key0: number, key1: number): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter as unknown as [number, number, number, number];
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The upper 32 bits of a product of two 32-bit numbers, from 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // below 2^48: exact in a double
  const carry = (middle % 65536) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/** A row of random numbers. */
export class SampleRandom {
  readonly #counter: [block: number, position: number, stream: number, epoch: number];
  readonly #key: readonly [number, number];
  #words: readonly number[] = [];
  #used = 4;

  constructor({ seed, stream, epoch, position }: SampleKey) {
    // Shuffles (batch-plan.ts) count with a second word of 0, which no position + 1 is.
    this.#counter = [0, (position + 1) >>> 0, stream >>> 0, (epoch + 1) >>> 0];
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  }

  /** 32 random bits. */
  bits(): number {
    if (this.#used === 4) {
      this.#words = philox(this.#counter, ...this.#key);
      this.#counter[0] += 1;
      this.#used = 0;
    }
    return this.#words[this.#used++] as number;
  }

  /** Even over [low, high), of 2^32 steps. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.bits() / 2 ** 32);
  }

  /** A whole number from 0 to count - 1. */
  integer(count: number): number {
    return Math.floor(this.uniform(0, count));
  }

  /** Puts the values into a random order, in place (Fisher-Yates). */
  shuffle<T extends Int32Array | number[]>(values: T): T {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [values[i], values[j]] = [values[j] as number, values[i] as number];
    }
    return values;
  }
}
