// Checks that a C++ program makes, built beside the addon with the emulation of CUDA: it prints a line for each, "ok NAME" or
// "not ok NAME: WHY", and ends with 1 if one fails.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { besideAddon } from '../cuda/emulated-gpu.js';

/** Runs the program; each of its lines is a test. `count`: how many there are at least. */
export function testProgram(title: string, name: string, count: number): void {
  const program = besideAddon(name);
  const isBuilt = existsSync(program);
  const run = isBuilt ? spawnSync(program, { encoding: 'utf8' }) : null;
  const lines = (run?.stdout ?? '').split('\n').filter(Boolean);

  describe.skipIf(!isBuilt)(`${title}${isBuilt ? '' : ` (skipped: ${program} is not built)`}`, () => {
    test('was checked to the end', () => {
      expect(run?.signal, run?.stderr).toBeNull();
      expect(run?.status).toBe(lines.every((line) => line.startsWith('ok ')) ? 0 : 1);
      expect(lines.length).toBeGreaterThanOrEqual(count);
    });

    test.each(lines.map((line) => ({ line, name: line.replace(/^(not )?ok /, '') })))('$name', ({ line }) => {
      expect(line).toMatch(/^ok /);
    });
  });
}
