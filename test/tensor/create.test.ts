// Tensors made from values, shapes and random numbers, and what is refused.
import { beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, DTypeError, OutOfMemoryError, ShapeError } from '../../lib/errors.js';
import { arange, full, normal, ones, tensor, uniform, zeros } from '../../lib/tensor/create.js';
import { seed } from '../../lib/tensor/random.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice(() => {
  beforeEach(() => seed(7));

  describe('tensor', () => {
    it('takes a number as a scalar', () => {
      const t = tensor(2.5);
      expect([t.shape, t.dtype, t.size, t.ndim, t.item()]).toEqual([[], 'float32', 1, 0, 2.5]);
    });

    it('takes nested arrays', () => {
      const values = [
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      ];
      const t = tensor(values);
      expect(t.shape).toEqual([1, 3, 2]);
      expect(t.toArray()).toEqual(values);
    });

    it.each([
      [Float32Array.of(1.5, -2), 'float32'],
      [Int32Array.of(1, -2), 'int32'],
      [Uint8Array.of(1, 255), 'uint8'],
      [Float64Array.of(1.5, 2), 'float32'],
      [Int16Array.of(1, -2), 'float32'],
    ] as const)('takes %o as %s', (values, dtype) => {
      const t = tensor(values as Float32Array);
      expect([t.dtype, [...t.dataSync()]]).toEqual([dtype, [...values]]);
    });

    it('copies what it takes', () => {
      const values = Float32Array.of(1, 2, 3);
      const t = tensor(values);
      values.fill(9);
      expect([...t.dataSync()]).toEqual([1, 2, 3]);
    });

    it('gives flat values a shape and a type', () => {
      const t = tensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'int32' });
      expect([t.dtype, t.toArray()]).toEqual([
        'int32',
        [
          [1, 2],
          [3, 4],
        ],
      ]);
    });

    it.each(['bfloat16', 'float16'] as const)('rounds to %s', (dtype) => {
      const t = tensor([1, 0.1, 300], { dtype });
      expect(t.dtype).toBe(dtype);
      const [one, tenth, large] = t.dataSync();
      expect([one, large]).toEqual([1, 300]);
      expect(tenth).not.toBe(Math.fround(0.1));
      expect(tenth).toBeCloseTo(0.1, 3);
    });

    it('holds no values in an empty shape', () => {
      expect([tensor([]).shape, tensor([]).toArray()]).toEqual([[0], []]);
      expect(tensor([[], []]).shape).toEqual([2, 0]);
    });

    it.each([
      ['ragged arrays', () => tensor([[1, 2], [3]]), ShapeError],
      ['an array beside numbers', () => tensor([1, [2]]), ShapeError],
      ['a number beside arrays', () => tensor([[1], 2]), ShapeError],
      ['text', () => tensor('1' as never), ShapeError],
      ['text inside', () => tensor(['1'] as never), ShapeError],
      ['null', () => tensor(null as never), ShapeError],
      ['too few values', () => tensor([1, 2, 3], { shape: [2, 2] }), ShapeError],
      ['a negative size', () => tensor([1], { shape: [-1] }), ShapeError],
      ['a NaN size', () => tensor([1], { shape: [Number.NaN] }), ShapeError],
      ['a fractional size', () => tensor([1], { shape: [0.5, 2] }), ShapeError],
      ['nine axes', () => tensor([1], { shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }), ShapeError],
      ['a shape that is a number', () => tensor([1], { shape: 1 as never }), ShapeError],
      ['an unknown type', () => tensor([1], { dtype: 'float64' as never }), DTypeError],
      ['big integers', () => tensor(BigInt64Array.of(1n) as never), DTypeError],
      ['a DataView', () => tensor(new DataView(new ArrayBuffer(4)) as never), DTypeError],
      ['an unknown option', () => tensor([1], { type: 'int32' } as never), ConfigError],
    ])('refuses %s', (_, make, ErrorClass) => {
      expect(make).toThrow(ErrorClass);
    });

    it('refuses an array that contains itself', () => {
      const endless: unknown[] = [];
      endless.push(endless);
      expect(() => tensor(endless as never)).toThrow(ShapeError);
    });
  });

  describe('full, zeros, ones, arange', () => {
    it('fills every element', () => {
      expect(full([2, 2], 3).toArray()).toEqual([
        [3, 3],
        [3, 3],
      ]);
      expect(zeros([3]).toArray()).toEqual([0, 0, 0]);
      expect(ones([1, 2], { dtype: 'int32' }).toArray()).toEqual([[1, 1]]);
      expect(full([], 4).item()).toBe(4);
      expect(zeros([2], { dtype: 'bfloat16' }).toArray()).toEqual([0, 0]);
    });

    it('counts', () => {
      expect(arange(4).toArray()).toEqual([0, 1, 2, 3]);
      expect(arange(3, { dtype: 'int32' }).dtype).toBe('int32');
      expect(() => arange(-1)).toThrow(ConfigError);
      expect(() => arange(1e12)).toThrow(ShapeError);
    });

    it('says what is wrong with a shape', () => {
      expect(() => zeros([2, -3])).toThrow(
        'Expected shape to be an array of at most 8 non-negative integers with a product below 2^53, got [2, -3].',
      );
      expect(() => zeros([2 ** 40, 2 ** 40])).toThrow(ShapeError);
    });

    it('reports memory that cannot be had, and goes on', () => {
      expect(() => zeros([2 ** 24, 2 ** 24])).toThrow(OutOfMemoryError);
      expect(zeros([2]).toArray()).toEqual([0, 0]);
    });
  });

  describe('uniform, normal', () => {
    it('gives the same values for the same seed, others for each draw', () => {
      const first = uniform([8]).toArray();
      const second = uniform([8]).toArray();
      seed(7);
      expect(uniform([8]).toArray()).toEqual(first);
      expect(second).not.toEqual(first);
    });

    it('draws uniformly between low and high', () => {
      const values = uniform([10_000], { low: -2, high: 6 }).dataSync() as Float32Array;
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
      expect(Math.max(...values)).toBeLessThan(6);
      expect(Math.abs(mean - 2)).toBeLessThan((4 * 8) / Math.sqrt(12 * values.length)); // 4 standard errors
    });

    it('draws from the normal distribution', () => {
      const values = normal([10_000], { mean: 3, std: 2 }).dataSync() as Float32Array;
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
      expect(Math.abs(mean - 3)).toBeLessThan((4 * 2) / Math.sqrt(values.length));
      expect(Math.abs(variance - 4)).toBeLessThan(4 * 4 * Math.sqrt(2 / values.length));
    });

    it('refuses what has no distribution', () => {
      expect(() => uniform([2], { low: 1, high: 0 })).toThrow(ConfigError);
      expect(() => uniform([2], { low: Number.NaN })).toThrow(ConfigError);
      expect(() => normal([2], { std: -1 })).toThrow(ConfigError);
      expect(() => uniform([2], { dtype: 'int32' })).toThrow(DTypeError);
      expect(() => seed(0.5)).toThrow(ConfigError);
    });
  });
});
