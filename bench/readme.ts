// Rewrites the README's table of measurements from bench/results/training-cpu.json and inference-cpu.json.
// npm run bench -- readme
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, parseOptions } from './arguments.js';
import { readCases } from './compare/results.js';
import { resultFile, root, writeText } from './harness.js';
import { measuredTable, withTable } from './readme/table.js';

await main(() => {
  parseOptions({});
  const cases = ['training-cpu', 'inference-cpu'].flatMap((name) => readCases(resultFile(name)));
  const file = join(root, 'README.md');
  writeText(file, withTable(readFileSync(file, 'utf8'), measuredTable(cases)));
});
