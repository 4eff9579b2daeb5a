// The emulated CUDA run-time and cuBLAS against their documentation and plain loops. The checks are a C++ program
// (native/cuda_emulation/emulation_test.cc and the *_test.cc beside it), built with the emulation; each is a test here.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emulationFile } from './emulated-gpu.js';

const program = join(dirname(emulationFile), 'emulation_test');
const isBuilt = existsSync(program);
const suffix = isBuilt ? '' : ` (skipped: ${program} is not built)`;
const groups = ['16 bits', 'copies', 'cuBLAS', 'cublasLt', 'device', 'errors', 'events', 'faults', 'graphs'].concat(
  ['host functions', 'kernels', 'memory', 'streams'], // each file of checks has its own
);

// What a caller's environment asks of the emulated device would change what the checks see.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RESIDUA_EMULATED_')));
const run = isBuilt ? spawnSync(program, { encoding: 'utf8', env }) : null;
const lines = (run?.stdout ?? '').split('\n').filter(Boolean);
const checks = lines.map((line) => ({ line, name: line.replace(/^(not )?ok /, '') }));

describe.skipIf(!isBuilt)(`The emulated CUDA run-time and cuBLAS${suffix}`, () => {
  test('were checked to the end', () => {
    expect(run?.signal, run?.stderr).toBeNull();
    expect(run?.status).toBe(lines.every((line) => line.startsWith('ok ')) ? 0 : 1);
    expect(new Set(checks.map(({ name }) => name.replace(/: .*/, '')))).toEqual(new Set(groups));
  });

  test.each(checks)('$name', ({ line }) => {
    expect(line).toMatch(/^ok /);
  });
});
