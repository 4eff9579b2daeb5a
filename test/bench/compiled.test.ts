// Benchmark scripts in their compiled form, on the compiled library.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { compiled, runCompiled } from '../../bench/compiled.js';
import type { StepRun } from '../../bench/harness.js';

/** What a script imports, itself or through the scripts that it imports. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s[\w{}*,\s]*['"]([^'"]+)['"]/gm)) {
    const other = name!.startsWith('.') ? join(dirname(file), name!) : name!;
    if (seen.has(other)) continue;
    seen.add(other);
    if (name!.startsWith('.')) importsOf(other, seen);
  }
  return seen;
}

test('import nothing but each other, Node and the compiled library: what they load is measured with it', () => {
  const imports = [...importsOf(compiled('step.ts'))];
  expect(imports).toContainEqual(expect.stringMatching(/^file:.*\/dist\/index\.js$/));
  const others = imports.filter((name) => !/^(node:|\/.*\/\.cache\/bench\/.*\.js$|file:.*\/dist\/)/.test(name));
  expect(others).toEqual([]);
});

test('take steps', () => {
  const net = ['--model', 'cifar-resnet20@32', '--batch', '2', '--threads', '2'];
  const outcome = runCompiled<StepRun>('step.ts', [...net, '--steps', '2', '--warmup', '0'], { RESIDUA_TUNE: '0' });
  expect(outcome).toMatchObject({ result: { seconds: [expect.any(Number), expect.any(Number)] } });
  expect('result' in outcome && outcome.result.loss).toBeGreaterThan(0);
});
