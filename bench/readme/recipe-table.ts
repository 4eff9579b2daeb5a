// The table of recipes/README.md: how long a recipe takes to an accuracy, from what `recipe` writes.
import type { MeasuredRun } from '../recipe.js';
import { markdownTable } from './table.js';

export interface RecipeResult {
  /** From 0 to 1. */
  accuracy: number;
  runs: readonly MeasuredRun[];
}

export function recipeTable({ accuracy, runs }: RecipeResult): string {
  const percent = (value: number): string => `${(100 * value).toFixed(2)}%`;
  const head = ['', 'seed', `minutes to ${(100 * accuracy).toFixed(1)}%`, 'minutes in all', 'test accuracy'];
  const rows = runs.map(({ library, seed, minutesToAccuracy, minutes, finalAccuracy }) => [
    library,
    String(seed),
    minutesToAccuracy?.toFixed(1) ?? 'not reached',
    minutes.toFixed(1),
    percent(finalAccuracy),
  ]);
  return markdownTable([head, ...rows], [1, 2, 3, 4]);
}
