// Every call of CUDA, cuDNN and cuBLAS that a training step makes is made to fail once: each time there is a typed error or
// the right result, nothing leaks, and the next step works. And failures after which the GPU takes no more work.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { emulationFile, hasNoEmulation } from './emulated-gpu.js';

interface Report {
  /** Calls that failed. */
  failed: number;
  /** Errors by class. */
  errors: Record<string, number>;
  /** What should not have happened. */
  wrong: string[];
}

function runScript(name: string, args: string[], variables: Record<string, string>): string {
  const script = fileURLToPath(new URL(`./${name}`, import.meta.url));
  const env = { ...process.env, RESIDUA_CUDA_LIBRARY: emulationFile, ...variables };
  const command = ['--import', 'tsx', script, ...args];
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, command, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} ended with ${signal ?? status}: ${stderr}`);
  return stdout;
}

function sweep(variables: Record<string, string>): Report {
  const folder = mkdtempSync(join(tmpdir(), 'residua-failing-'));
  try {
    const log = join(folder, 'log');
    writeFileSync(log, '');
    const text = runScript('failing-calls-run.ts', ['5000'], { RESIDUA_EMULATED_FAULT_LOG: log, ...variables });
    return JSON.parse(text) as Report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(hasNoEmulation)(
  `failing calls${hasNoEmulation ? ' (skipped: the emulation is not built)' : ''}`,
  () => {
    test('of a step whose plans are there', () => {
      const { failed, errors, wrong } = sweep({});
      expect(wrong).toEqual([]);
      expect(failed).toBeGreaterThan(100);
      expect(errors.NativeError).toBeGreaterThan(50);
    });

    test('of a step that makes its plans', () => {
      const { failed, errors, wrong } = sweep({ RESIDUA_PLAN_CACHE: '1' });
      expect(wrong).toEqual([]);
      expect(failed).toBeGreaterThan(500);
      expect(errors.NativeError).toBeGreaterThan(100);
      expect(errors.OutOfMemoryError).toBeGreaterThan(0);
    });

    test.each([
      ['cudaLaunchKernel', 700, 'cudaErrorIllegalAddress'],
      ['cudaMemcpyAsync', 719, 'cudaErrorLaunchFailure'],
    ])('%s with %i, which ends all work on the GPU: told as it is, then every use says why', (call, status, name) => {
      const told = JSON.parse(runScript('lost-gpu-run.ts', [`${call}:1:${status}`], {})) as Record<string, string[]>;
      expect(told.first?.[0]).toBe('NativeError');
      expect(told.first?.[1]).toContain(name);
      for (const use of ['run', 'upload', 'read', 'readAsync', 'synchronize']) {
        expect(told[use]?.[0], use).toBe('NativeError');
        expect(told[use]?.[1], use).toContain('takes no more work');
        expect(told[use]?.[1], use).toContain(name);
      }
      expect(told.dispose).toEqual(['none', '']);
      expect(told.cpu).toEqual(['none', '']);
    });
  },
);
