// The emulated cuDNN against PyTorch, against what the real one refuses, and against its own documentation. The checks
// are a C++ program (native/cuda_emulation/cudnn_test.cc), built with the emulation; each of them is a test here.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { addonFile } from '../../lib/native.js';

const library = process.env.RESIDUA_CUDA_LIBRARY;
const program = join(dirname(library?.includes('/') ? library : addonFile()), 'cudnn_test');
const fixtures = fileURLToPath(new URL('../fixtures/cudnn_graphs.txt', import.meta.url));
const isBuilt = existsSync(program);
const suffix = isBuilt ? '' : ` (skipped: ${program} is not built)`;

interface Check {
  name: string;
  passed: boolean;
  why: string;
}

// "ok <name>" or "not ok <name>: <why>". Names have colons too, so a failure's name keeps the reason.
function readCheck(line: string): Check {
  const passed = line.startsWith('ok ');
  return { name: line.replace(/^(not )?ok /, ''), passed, why: line };
}

const run = isBuilt ? spawnSync(program, [fixtures], { encoding: 'utf8', maxBuffer: 2 ** 26 }) : null;
const checks = (run?.stdout ?? '').split('\n').filter(Boolean).map(readCheck);

describe.skipIf(!isBuilt)(`The emulated cuDNN${suffix}`, () => {
  test('was checked to the end', () => {
    expect(run?.stderr).toBe('');
    expect(run?.signal).toBeNull();
    expect(run?.status).toBe(checks.every((check) => check.passed) ? 0 : 1);
    for (const group of ['PyTorch', 'refusals', 'engines', 'plans', 'execution']) {
      expect(checks.filter(({ name }) => name.startsWith(`${group}: `)).length, group).toBeGreaterThan(5);
    }
  });

  test.each(checks)('$name', ({ passed, why }) => {
    expect(passed, why).toBe(true);
  });
});
