// The README's table of measurements is the one that the result files give.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCases } from '../../bench/compare/results.js';
import { resultFile } from '../../bench/harness.js';
import { begin, end, measuredTable, withTable } from '../../bench/readme/table.js';
import { packageRoot } from '../../lib/native.js';

test("the README's figures are those of the result files", () => {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  const cases = ['training-cpu', 'inference-cpu'].flatMap((name) => readCases(resultFile(name)));
  expect(cases.length).toBeGreaterThan(0);
  expect(withTable(readme, measuredTable(cases)), "run 'npm run bench -- readme'").toBe(readme);
});

test('only what is between the markers is replaced', () => {
  expect(withTable(`a\n${begin}\nold\n${end}\nz\n`, 'new')).toBe(`a\n${begin}\nnew\n${end}\nz\n`);
  expect(() => withTable(`${end}${begin}`, 'new')).toThrow(/Expected the README to hold/);
});
