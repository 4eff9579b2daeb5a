// The tables of measurements in the README and in docs/ are the ones that the result files give.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { degradationTable } from '../../bench/readme/degradation-table.js';
import { pages } from '../../bench/readme/pages.js';
import { begin, end, withTable } from '../../bench/readme/table.js';

describe('figures are those of the result files', () => {
  test.each(pages.map((page) => [basename(page.file), page] as const))('%s', (_, { file, table }) => {
    const page = readFileSync(file, 'utf8');
    expect(withTable(page, table()), "run 'npm run bench -- readme'").toBe(page);
  });

  test("the README's table has rows", () => expect(pages[0]?.table().split('\n').length).toBeGreaterThan(2));
});

test('errors of the last epoch, in percent', () => {
  const curve = { kind: 'plain', depth: 56, trainError: [0.5, 0.1234], testError: [0.6, 0.2] } as const;
  const how = {
    date: '2026-01-01',
    device: 'cpu',
    precision: 'float32',
    epochs: 2,
    batch: 128,
    learningRate: 0.1,
    seed: 1,
  };
  const curves = [{ ...curve, trainError: [...curve.trainError], testError: [...curve.testError] }];
  const lines = degradationTable({ ...how, images: [60000, 10000], curves }).split('\n');
  expect(lines[0]).toMatch(
    /^60,000 training and 10,000 test images, 2 epochs in batches of 128, learning rate 0.1, seed 1, float32/,
  );
  expect(lines.at(-1)).toMatch(/^\| plain +\| +56 \| +12\.34% \| +20\.00% \|$/);
});

test('only what is between the markers is replaced', () => {
  expect(withTable(`a\n${begin}\nold\n${end}\nz\n`, 'new')).toBe(`a\n${begin}\nnew\n${end}\nz\n`);
  expect(() => withTable(`${end}${begin}`, 'new')).toThrow(/Expected the page to hold/);
});
