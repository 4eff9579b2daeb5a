// The chapter's recipe, and the estimate of the full recipe's time.
import { describe, expect, test } from 'vitest';
import { FullRecipeNote } from '../../lib/cli/full-recipe-note.js';
import { chapterRecipe, fullRecipeSeconds, multiplyAdds, type Recipe, recipeOf } from '../../lib/cli/recipe.js';
import { resolveConfig } from '../../lib/config/index.js';

const cpuRecipe: Recipe = { resize: 28, epochs: 3, batchSize: 256, learningRate: 0.05 };

test("a config's part that the chapter tells too", () => {
  expect(recipeOf(resolveConfig({ device: 'cpu', epochs: 4 }))).toEqual({ ...cpuRecipe, epochs: 4 });
});

test('multiplyAdds counts the convolutions of the net', () => {
  // Counted by a plain loop over the layers' output sizes: 48, then 24, 12, 6, 3 at 96 x 96.
  const stage = (side: number, from: number, to: number): number =>
    side * side * (from * to * 9 + 3 * to * to * 9 + from * to);
  const expected =
    48 * 48 * 64 * 49 + 4 * 24 * 24 * 64 * 64 * 9 + stage(12, 64, 128) + stage(6, 128, 256) + stage(3, 256, 512);
  expect(multiplyAdds(96)).toBe(expected);
  expect(multiplyAdds(28)).toBeLessThan(multiplyAdds(96) / 9);
});

test('the estimate is images over speed where the speed was measured at the full size', () => {
  expect(fullRecipeSeconds(200, 96)).toBeCloseTo((5 * (60_000 + 10_000 / 3)) / 200);
  expect(fullRecipeSeconds(2000, 28) / fullRecipeSeconds(1000, 28)).toBeCloseTo(0.5);
});

describe('the note about the full recipe', () => {
  function notes(recipe = cpuRecipe, kind: 'cpu' | 'gpu' = 'cpu') {
    const lines: string[] = [];
    return { lines, note: new FullRecipeNote(recipe, kind, (line) => lines.push(line)) };
  }

  test('tells what is left out, then once the command and the time', () => {
    const { lines, note } = notes();
    note.announce();
    expect(lines[0]).toMatch(/28x28 pixels, 3 epochs \(the chapter: 96x96, 5 epochs, on a GPU\)/);
    for (let step = 1; step <= 40; step++) note.afterStep(step, step < 3 ? undefined : 1300);
    note.close();
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('--resize 96 --epochs 5');
    expect(lines[1]).toContain('about 39 min here: an estimate');
  });

  test('gives the command alone where nothing was measured', () => {
    const { lines, note } = notes();
    note.afterStep(1, undefined);
    note.close();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('too short');
  });

  test('is silent for the full recipe itself and on a GPU', () => {
    for (const { lines, note } of [notes(chapterRecipe), notes(cpuRecipe, 'gpu')]) {
      note.announce();
      note.afterStep(100, 1000);
      note.close();
      expect(lines).toEqual([]);
    }
  });
});
