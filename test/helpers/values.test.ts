// Both sides of a fixture must make the same inputs: values.ts against values that values.py wrote.
import { expect, test } from 'vitest';
import { readJson } from './fixtures.js';
import { hashed, integerValues, uniformValues } from './values.js';

interface Sample {
  seed: number;
  scale: number;
  offset: number;
  below: number;
  hashed: number[];
  uniform: number[];
  integers: number[];
}

test.each(readJson<Sample[]>('values'))('values of seed $seed are those of Python', (sample) => {
  const { seed, scale, offset, below } = sample;
  expect([...hashed(seed, 5)]).toEqual(sample.hashed);
  expect([...uniformValues(5, seed, scale, offset)]).toEqual(sample.uniform);
  expect([...integerValues(5, seed, below)]).toEqual(sample.integers);
});

test('values fill [-1, 1) evenly', () => {
  const values = uniformValues(10_000, 3);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
  expect(Math.max(...values)).toBeLessThan(1);
});
