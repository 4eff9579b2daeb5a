// Rewrites the tables of measurements in the README, docs/family.md, docs/residual.md and recipes/README.md from bench/results.
// npm run bench -- readme
import { readFileSync } from 'node:fs';
import { main, parseOptions } from './arguments.js';
import { writeText } from './harness.js';
import { pages } from './readme/pages.js';
import { withTable } from './readme/table.js';

await main(() => {
  parseOptions({});
  for (const { file, table } of pages) writeText(file, withTable(readFileSync(file, 'utf8'), table()));
});
