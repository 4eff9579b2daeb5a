// The comparison that the other tests rest on must itself be able to fail.
import { describe, expect, test } from 'vitest';
import { expectClose, indexByAxis } from './tolerances.js';

describe('expectClose', () => {
  test('accepts values within the tolerance', () => {
    expectClose([1, -2, 0], [1.00005, -2.0001, 1e-6]);
    expectClose([Infinity, -Infinity, Number.NaN], [Infinity, -Infinity, Number.NaN]);
  });

  test.each([
    ['a value too far off', [1, 2], [1, 2.1]],
    ['NaN for a number', [1, Number.NaN], [1, 2]],
    ['a number for NaN', [1, 2], [1, Number.NaN]],
    ['infinity for a number', [1, Infinity], [1, 2]],
    ['the other infinity', [1, Infinity], [1, -Infinity]],
  ])('refuses %s and names the element', (_, actual, expected) => {
    expect(() => expectClose(actual, expected, { what: 'y', shape: [2, 1] })).toThrow(
      /y: worst at \[1, 0\] of \[2, 1\]: expected .*, got /,
    );
  });

  test('refuses another number of values', () => {
    expect(() => expectClose([1], [1, 1])).toThrow('expected 2 values, got 1');
  });
});

test('indexByAxis splits a flat index', () => {
  expect(indexByAxis(7, [2, 5])).toEqual([1, 2]);
  expect(indexByAxis(23, [2, 3, 4])).toEqual([1, 2, 3]);
});
