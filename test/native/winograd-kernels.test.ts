// Winograd's algorithm in float32 for each kind of vectors, those of other processors included. The checks are a C++
// program (native/cpu_tests/winograd_test.cc), built with the emulation of CUDA; each is a test here.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { besideAddon } from '../cuda/emulated-gpu.js';

const program = besideAddon('winograd_test');
const isBuilt = existsSync(program);
const suffix = isBuilt ? '' : ` (skipped: ${program} is not built)`;

const run = isBuilt ? spawnSync(program, { encoding: 'utf8' }) : null;
const lines = (run?.stdout ?? '').split('\n').filter(Boolean);

describe.skipIf(!isBuilt)(`Winograd's algorithm in float32${suffix}`, () => {
  test('was checked to the end', () => {
    expect(run?.signal, run?.stderr).toBeNull();
    expect(run?.status).toBe(lines.every((line) => line.startsWith('ok ')) ? 0 : 1);
    expect(lines.length % 16).toBe(0); // eight sizes in two layouts, for each kind of vectors
  });

  test.each(lines.map((line) => ({ line, name: line.replace(/^(not )?ok /, '') })))('$name', ({ line }) => {
    expect(line).toMatch(/^ok /);
  });
});
