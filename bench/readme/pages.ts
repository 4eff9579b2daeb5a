// The pages that have a table of measurements, and what each of them shows of which result files.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCases } from '../compare/results.js';
import { resultFile, root } from '../harness.js';
import { type DegradationResult, degradationTable } from './degradation-table.js';
import { type RecipeResult, recipeTable } from './recipe-table.js';
import { measuredTable } from './table.js';

interface Page {
  file: string;
  /** Markdown; where nothing was measured yet, the command that does it. */
  table: () => string;
}

const casesOf = (...names: string[]) => names.flatMap((name) => readCases(resultFile(name)));
const notYet = (benchmark: string): string => `Not measured yet: \`npm run bench -- ${benchmark}\`.`;

export const pages: readonly Page[] = [
  { file: join(root, 'README.md'), table: () => measuredTable(casesOf('training-cpu', 'inference-cpu')) },
  { file: join(root, 'docs', 'family.md'), table: familyTable },
  { file: join(root, 'docs', 'residual.md'), table: degradation },
  { file: join(root, 'recipes', 'README.md'), table: recipe },
];

function familyTable(): string {
  const cases = casesOf('family-training-cpu', 'family-inference-cpu');
  return cases.length === 0 ? notYet('family') : measuredTable(cases);
}

function degradation(): string {
  const file = resultFile('degradation');
  if (!existsSync(file)) return notYet('degradation');
  return degradationTable(JSON.parse(readFileSync(file, 'utf8')) as DegradationResult);
}

function recipe(): string {
  const file = resultFile('recipe-fashion-mnist');
  if (!existsSync(file)) return notYet('recipe');
  return recipeTable(JSON.parse(readFileSync(file, 'utf8')) as RecipeResult);
}
