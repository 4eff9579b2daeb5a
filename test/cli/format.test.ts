// Numbers as people read them.
import { describe, expect, test } from 'vitest';
import { bytes, count, duration, percent, roughDuration, timeStamp } from '../../lib/cli/format.js';
import { facts, table } from '../../lib/cli/table.js';
import { columnsOf, filled, wrapped } from '../../lib/cli/terminal.js';

describe('durations', () => {
  test.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [161, '2 min 41 s'],
    [3599.7, '1 h 00 min'],
    [3725, '1 h 02 min'],
    [7170, '2 h 00 min'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  test.each([
    [2, '5 s'],
    [42, '40 s'],
    [58, '1 min'],
    [2345, '39 min'],
    [3590, '60 min'],
    [5400, '1.5 h'],
  ])('%d seconds are roughly %s', (seconds, text) => expect(roughDuration(seconds)).toBe(text));
});

test('counts, shares and bytes', () => {
  expect(count(11178378)).toBe('11,178,378');
  expect(percent(0.8755)).toBe('87.55%');
  expect(percent(1, 1)).toBe('100.0%');
  expect([0, 1023, 1024, 25769803776].map(bytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '24.0 GiB']);
});

test('time stamps are sorted as text and fit for file names', () => {
  expect(timeStamp(new Date(2025, 2, 1, 9, 5, 7))).toBe('2025-03-01_09-05-07');
});

test('tables that are wider than the terminal: names are cut, or columns follow below', () => {
  const [header, rows] = [['class', 'images', 'precision'], [['a class with quite a long name', '7', '50.0%']]];
  expect(table(header, rows, 49)).toBe(table(header, rows));
  expect(table(header, rows, 42).split('\n')).toEqual([
    'class                    images  precision',
    `${'-'.repeat(23)}  ------  ---------`,
    'a class with quite a l…       7      50.0%',
  ]);
  expect(table(header, rows, 38).split('\n')).toEqual([
    'class                           images',
    `${'-'.repeat(30)}  ------`,
    'a class with quite a long name       7',
    '',
    'class                           precision',
    `${'-'.repeat(30)}  ---------`,
    'a class with quite a long name      50.0%',
  ]);
  expect(facts([['found', 'no such file in this place']], '  ', 24)).toBe(
    '  found  no such file in\n         this place',
  );
});

test('text as wide as the terminal', () => {
  expect(wrapped('one two three', Infinity)).toBe('one two three');
  expect(wrapped('one two three', 7, '  ')).toBe('one two\n  three');
  expect(wrapped('a-word-that-is-longer than it', 9)).toBe('a-word-that-is-longer\nthan it');
  expect(filled(['loss 1.2,', 'train acc 0.5,', 'lr 0.1'], ' ', 24, '  ')).toBe('loss 1.2, train acc 0.5,\n  lr 0.1');
  expect(columnsOf({ isTTY: true, columns: 80 })).toBe(80);
  expect(columnsOf({ columns: 80 })).toBe(Infinity);
});

test('tables', () => {
  expect(
    table(
      ['class', 'images'],
      [
        ['bag', '7'],
        ['ankle boot', '12'],
      ],
    ).split('\n'),
  ).toEqual(['class       images', '----------  ------', 'bag              7', 'ankle boot      12']);
  expect(
    facts([
      ['a', '1'],
      ['long', '2'],
    ]),
  ).toBe('  a     1\n  long  2');
});
