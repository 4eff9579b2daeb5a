// The scripts for a GPU machine, tried out on the emulation with tiny sizes.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { root, runNode } from '../cli/run-cli.js';

vi.setConfig({ testTimeout: 300_000 });

const isBuilt = existsSync(join(root, 'build', 'Release', 'libresidua_cuda_emulation.so'));
const out = mkdtempSync(join(tmpdir(), 'residua-gpu-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const script = (name: string): string => join(root, 'scripts', 'gpu', name);
const json = (...path: string[]) => JSON.parse(readFileSync(join(out, ...path), 'utf8'));

describe.skipIf(!isBuilt)(`scripts for a GPU machine${isBuilt ? '' : ' (skipped: the emulation is not built)'}`, () => {
  test('gpu:check leaves tests, parity and speed, and ends with a table', async () => {
    const { status, stdout, stderr } = await runNode([script('check.mjs'), '--emulation', '--out', join(out, 'check')]);
    expect({ status, stderr }, stdout).toMatchObject({ status: 0 });
    const results = json('check', 'steps.json').map(({ name, result }: { name: string; result: string }) => [
      name,
      result,
    ]);
    expect(Object.fromEntries(results)).toMatchObject({
      build: 'done',
      doctor: 'done',
      'tests-gpu': 'done',
      'tests-cpu': 'done',
      parity: 'done',
      speed: 'done',
      memcheck: 'left out: needs a GPU',
    });
    expect(json('check', 'tests-gpu.json').numPassedTests).toBeGreaterThan(10);
    expect(json('check', 'parity.json').worst.float32.difference).toBeLessThan(1e-3);
    expect(json('check', 'training-gpu.json').cases[0].rows[0].imagesPerSecond).toBeGreaterThan(0);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^profile +0\.0 s {2}left out/);
  });

  test('gpu:train trains in both precisions', async () => {
    const { status, stdout } = await runNode([script('train.mjs'), '--emulation', '--out', join(out, 'train')]);
    expect(status, stdout).toBe(0);
    for (const precision of ['float32', 'bfloat16'])
      expect(json('train', `chapter-${precision}`, 'history.json').epochs).toHaveLength(1);
  });

  test('an unknown option is a usage error', async () => {
    const { status, stderr } = await runNode([script('check.mjs'), '--outt', out]);
    expect(status).toBe(2);
    expect(stderr).toContain("'--outt'");
  });
});
