// Means over seeds and their standard errors, against values worked out by hand.
import { expect, test } from 'vitest';
import { meanWithError, ratioOfMeans } from '../../bench/seeds.js';

test('a mean and its standard error', () => {
  // Sample variance of 1, 2, 3, 4 is 5/3; by 4 values 5/12.
  expect(meanWithError([1, 2, 3, 4])).toEqual({ value: 2.5, error: 0.6455 });
});

test('one value has no error to tell', () => {
  expect(meanWithError([0.5])).toEqual({ value: 0.5, error: null });
  expect(ratioOfMeans([3], [2])).toEqual({ value: 1.5, error: null });
});

test('a ratio of means has no error where each value is that multiple of the other', () => {
  expect(ratioOfMeans([2, 4, 8], [1, 2, 4])).toEqual({ value: 2, error: 0 });
});

test('the error of a ratio of means', () => {
  // Means 3 and 2, ratio 1.5; a - 1.5 b = -0.5, 0.5: variance 0.5, by 2 values 0.25; root 0.5; by the mean of b 0.25.
  expect(ratioOfMeans([1, 5], [1, 3])).toEqual({ value: 1.5, error: 0.25 });
});
