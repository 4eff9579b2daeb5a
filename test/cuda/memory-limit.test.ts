// RESIDUA_GPU_MEMORY_LIMIT: a process takes no more than it says, and the error names it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { emulationFile, hasNoEmulation } from './emulated-gpu.js';

const MiB = 2 ** 20;
const script = fileURLToPath(new URL('./memory-limit-run.ts', import.meta.url));

interface Run {
  /** Tensors of 8 MiB that it had. */
  count: number;
  message: string;
  details: { bytesAsked: number; bytesFree: number };
  memory: { bytes: number; reservedBytes: number };
}

function run(variables: Record<string, string>): Run {
  const env = { ...process.env, RESIDUA_CUDA_LIBRARY: emulationFile, ...variables };
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], { env, encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Run;
}

describe.skipIf(hasNoEmulation)(`limits${hasNoEmulation ? ' (skipped: the emulation is not built)' : ''}`, () => {
  test('a limit holds, to within a segment', () => {
    const { count, message, details, memory } = run({ RESIDUA_GPU_MEMORY_LIMIT: '100MiB' });
    expect(memory.reservedBytes).toBeLessThanOrEqual(100 * MiB);
    expect(count).toBeGreaterThanOrEqual(10);
    expect(message).toContain('RESIDUA_GPU_MEMORY_LIMIT allows 100.0 MiB');
    expect(Number(details.bytesAsked)).toBe(8 * MiB);
    expect(Number(details.bytesFree)).toBeLessThan(20 * MiB);
  });

  test('without one, the GPU itself is the limit', () => {
    const { count, message, memory } = run({ RESIDUA_EMULATED_MEMORY: '300MiB' });
    expect(memory.reservedBytes).toBeLessThanOrEqual(300 * MiB);
    expect(count).toBeGreaterThanOrEqual(25);
    expect(message).toContain('of 300.0 MiB');
    expect(message).not.toContain('RESIDUA_GPU_MEMORY_LIMIT');
  });
});
