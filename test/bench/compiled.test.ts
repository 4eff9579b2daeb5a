// Benchmark scripts in their compiled form, on the compiled library.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compiled } from '../../bench/compiled.js';
import { benchFolder, runCompiled, type StepRun } from '../../bench/harness.js';

test('import nothing but JavaScript, of the library what is in dist/', () => {
  const text = readFileSync(compiled(benchFolder, 'step.ts'), 'utf8');
  expect(text).toMatch(/from 'file:.*\/dist\/index\.js'/);
  expect(text).not.toMatch(/from '[^']*(\/lib\/|\.ts')/);
});

test('take steps', () => {
  const net = ['--model', 'cifar-resnet20@32', '--batch', '2', '--threads', '2'];
  const outcome = runCompiled<StepRun>('step.ts', [...net, '--steps', '2', '--warmup', '0'], { RESIDUA_TUNE: '0' });
  expect(outcome).toMatchObject({ result: { seconds: [expect.any(Number), expect.any(Number)] } });
  expect('result' in outcome && outcome.result.loss).toBeGreaterThan(0);
});
