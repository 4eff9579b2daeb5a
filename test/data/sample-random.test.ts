// Random numbers of samples: the generator of the addon, and independence of one another.
import { expect, test } from 'vitest';
import { SampleRandom } from '../../lib/data/sample-random.js';
import { native } from '../../lib/native.js';

test.each([
  { seed: 0, stream: 0, epoch: 0, position: 0 },
  { seed: 1, stream: 3, epoch: 7, position: 12_345 },
  { seed: 2 ** 52 + 12_345, stream: 2 ** 31 + 5, epoch: 2 ** 20, position: 4_000_000 },
])('are those of native/core/philox.h: %j', (key) => {
  const random = new SampleRandom(key);
  const mine = Array.from({ length: 9 }, () => (random.bits() >>> 8) / 2 ** 24);
  // The addon counts values within a stream; one of its blocks of four is another word of the counter here.
  const { seed, stream, epoch, position } = key;
  const wanted = position + 1;
  const blocks = [0, 1, 2].map((block) => wordsOf(seed, stream + (epoch + 1) * 2 ** 32, block, wanted));
  expect(mine).toEqual(blocks.flat().slice(0, 9));
});

/** Block (low, high) of a stream of the addon, which begins at high = 0: only such blocks can be asked for. */
function wordsOf(seed: number, stream: number, low: number, high: number): number[] {
  expect(Number.isSafeInteger(stream)).toBe(true);
  return plainPhilox(
    [low, high, stream % 2 ** 32, Math.floor(stream / 2 ** 32)],
    [seed % 2 ** 32, Math.floor(seed / 2 ** 32)],
  ).map((word) => Math.floor(word / 256) / 2 ** 24);
}

/** Philox 4x32-10 in big integers, checked against the addon below. */
function plainPhilox(counter: number[], key: number[]): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & mask, (a >> 32n) ^ c3 ^ k1, a & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

test('the plain form that they are compared with gives the numbers of the addon', () => {
  const seed = 2 ** 40 + 17;
  const stream = 2 ** 33 + 9;
  const expected = [...native().randomUniform(8, seed, stream, 0, 1)];
  const keys = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
  const plain = [0, 1].flatMap((block) =>
    plainPhilox([block, 0, stream % 2 ** 32, Math.floor(stream / 2 ** 32)], keys),
  );
  expect(plain.map((word) => Math.floor(word / 256) / 2 ** 24)).toEqual(expected);
});

test('differ with each part of the key', () => {
  const base = { seed: 1, stream: 2, epoch: 3, position: 4 };
  const first = (key: Partial<typeof base>) => new SampleRandom({ ...base, ...key }).bits();
  const all = [first({}), first({ seed: 2 }), first({ stream: 3 }), first({ epoch: 4 }), first({ position: 5 })];
  expect(new Set(all).size).toBe(5);
  expect(first({})).toBe(all[0]);
});

test('are even: uniform, integer and shuffle', () => {
  const random = new SampleRandom({ seed: 5, stream: 0, epoch: 0, position: 0 });
  let sum = 0;
  for (let i = 0; i < 10_000; i++) {
    const value = random.uniform(-1, 3);
    expect(value >= -1 && value < 3).toBe(true);
    sum += value;
  }
  expect(sum / 10_000).toBeCloseTo(1, 1);
  const counts = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 6000; i++) {
    const order = random.shuffle([0, 1, 2]);
    expect(order.toSorted()).toEqual([0, 1, 2]);
    const [a, b] = order as [number, number];
    counts[2 * a + (b > 3 - a - b ? 1 : 0)]! += 1;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150); // 5 standard deviations
  const integers = new Set(Array.from({ length: 200 }, () => random.integer(3)));
  expect([...integers].sort()).toEqual([0, 1, 2]);
});
