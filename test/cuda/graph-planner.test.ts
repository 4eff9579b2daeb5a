// The planner of cuDNN graphs where no op reaches it: several plans at once, limits, failures. The checks are a C++ program
// on the emulation (native/cuda/planning/graph_planner_test.cc), built with it; each of them is a test here.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emulationFile } from './emulated-gpu.js';

const program = join(dirname(emulationFile), 'planning', 'graph_planner_test');
const isBuilt = existsSync(program);
const suffix = isBuilt ? '' : ` (skipped: ${program} is not built)`;
const run = isBuilt ? spawnSync(program, { encoding: 'utf8', timeout: 60_000 }) : null;
const checks = (run?.stdout ?? '').split('\n').filter(Boolean);

describe.skipIf(!isBuilt)(`The planner of cuDNN graphs${suffix}`, () => {
  test('was checked to the end', () => {
    expect(run?.stderr).toBe('');
    expect(run?.status).toBe(checks.some((check) => check.startsWith('not ok')) ? 1 : 0);
    expect(checks.length).toBeGreaterThan(20);
  });

  test.each(checks.map((check) => ({ name: check.replace(/^(not )?ok /, ''), check })))('$name', ({ check }) => {
    expect(check).toMatch(/^ok /);
  });
});
