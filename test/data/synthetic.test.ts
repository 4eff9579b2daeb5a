// Synthetic data sets: sizes, classes, the same images for a seed.
import { expect, test } from 'vitest';
import { synthetic } from '../../lib/data/index.js';

test('has images of the classes in turn, the same ones however many', () => {
  const few = synthetic({ length: 7, shape: [2, 5, 3], classes: 3, seed: 4 });
  expect(few).toMatchObject({ length: 7, shape: [2, 5, 3], classNames: ['0', '1', '2'] });
  expect([...few.labels]).toEqual([0, 1, 2, 0, 1, 2, 0]);
  expect(synthetic({ length: 70, shape: [2, 5, 3], classes: 3, seed: 4 }).take(7)).toEqual(few);
  expect(synthetic({ length: 7, shape: [2, 5, 3], classes: 3, seed: 5 }).images).not.toEqual(few.images);
});

test('images of a class are more alike than others', () => {
  const { images } = synthetic({ length: 8, shape: [1, 20, 20], classes: 4 });
  const distance = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < 400; i++) sum += Math.abs(images[a * 400 + i]! - images[b * 400 + i]!);
    return sum;
  };
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) if (i !== j) expect(distance(i, i + 4)).toBeLessThan(distance(i, j));
});

test('refuses options out of range', () => {
  for (const options of [
    {},
    { length: 0 },
    { length: 3, classes: 257 },
    { length: 3, shape: [3, 0, 3] },
    { length: 3, n: 1 },
  ])
    expect(() => synthetic(options as never)).toThrow();
});
