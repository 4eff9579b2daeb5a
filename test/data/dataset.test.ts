// Data sets over arrays.
import { expect, test } from 'vitest';
import { ArrayDataset } from '../../lib/data/dataset.js';
import { ConfigError, DataError, ShapeError } from '../../lib/errors.js';
import { countUp } from './idx-files.js';

const dataset = new ArrayDataset({
  images: countUp(4 * 6),
  labels: [3, 1, 0, 2],
  shape: [1, 2, 3],
  classNames: ['a', 'b', 'c', 'd'],
});

test('holds images, labels and class names', () => {
  expect(dataset.length).toBe(4);
  expect(dataset.shape).toEqual([1, 2, 3]);
  expect([...dataset.labels]).toEqual([3, 1, 0, 2]);
  expect(dataset.classNames).toEqual(['a', 'b', 'c', 'd']);
});

test('take gives the first images and shares their memory', () => {
  const two = dataset.take(2);
  expect(two.length).toBe(2);
  expect([...two.images]).toEqual([...countUp(12)]);
  expect(two.images.buffer).toBe(dataset.images.buffer);
  expect(dataset.take(100).length).toBe(4);
  expect(dataset.take(0).length).toBe(0);
  for (const n of [-1, 1.5, Number.NaN]) expect(() => dataset.take(n)).toThrow(ConfigError);
});

test('subset gives chosen images in their order', () => {
  const chosen = dataset.subset([3, 0, 3]);
  expect([...chosen.labels]).toEqual([2, 3, 2]);
  expect([...chosen.images]).toEqual([18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 18, 19, 20, 21, 22, 23]);
  for (const index of [-1, 4, 0.5]) expect(() => dataset.subset([index])).toThrow(ConfigError);
});

test('refuses values that are no pixels or no classes, and counts that do not fit', () => {
  const shape = [1, 1, 2] as const;
  expect(() => new ArrayDataset({ images: [0, 256], labels: [0], shape })).toThrow(/images .* 256 at position 1/);
  expect(() => new ArrayDataset({ images: [0, 0.5], labels: [0], shape })).toThrow(DataError);
  expect(() => new ArrayDataset({ images: [0, 1], labels: [-1], shape })).toThrow(DataError);
  expect(() => new ArrayDataset({ images: [0, 1], labels: Uint8Array.of(2), shape, classNames: ['a', 'b'] })).toThrow(
    /0 to 1, got 2/,
  );
  expect(() => new ArrayDataset({ images: [0, 1, 2], labels: [0], shape })).toThrow(/expected 2 pixels/);
  for (const wrong of [[1, 2], [1, 0, 2], [1, 1, Number.NaN], undefined]) {
    expect(() => new ArrayDataset({ images: [0, 1], labels: [0], shape: wrong as never })).toThrow(ShapeError);
  }
});
