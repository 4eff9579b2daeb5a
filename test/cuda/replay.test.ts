// Programs that are captured into CUDA graphs and replayed: the same bits as op by op, whatever changes between runs.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { emulationFile, hasNoEmulation } from './emulated-gpu.js';

interface Report {
  /** Bits of all numbers that were read, by what they are. */
  values: Record<string, number[]>;
  errors: string[];
  /** Live tensors after each of the first steps. */
  tensors: number[];
  /** CUDA graphs launched: in the first five steps, around the wrong labels, altogether. */
  launches: number[];
}

const script = fileURLToPath(new URL('./replay-run.ts', import.meta.url));

function run(precision: string, graphs: '0' | '1'): Report {
  const env = { ...process.env, RESIDUA_CUDA_LIBRARY: emulationFile, RESIDUA_CUDA_GRAPHS: graphs };
  const command = ['--import', 'tsx', script, precision];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`replay-run.ts ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Report;
}

describe.skipIf(hasNoEmulation)(`replay${hasNoEmulation ? ' (skipped: the emulation is not built)' : ''}`, () => {
  test.each(['float32', 'bfloat16'])('of training in %s gives the same bits and the same errors', (precision) => {
    const [plain, replayed] = [run(precision, '0'), run(precision, '1')];
    expect(plain.launches).toEqual([0, 0, 0]);
    expect(Object.keys(replayed.values)).toEqual(Object.keys(plain.values));
    for (const [name, values] of Object.entries(plain.values)) expect(replayed.values[name], name).toEqual(values);
    expect(replayed.errors).toEqual(plain.errors);
    expect(plain.errors).toHaveLength(3);
    for (const error of plain.errors) expect(error).toMatch(/^DataError: /);
    expect(plain.errors[0]).toMatch(/softmaxCrossEntropy.*7.*softmaxCrossEntropy$/s);
    expect(plain.errors[2]).toContain('gatherRows');
    // From the third run of a program on; the first step, which makes the momenta, has its own.
    expect(replayed.launches[0]).toBe(2);
    expect(replayed.launches[1]).toBeGreaterThanOrEqual(4);
    expect(replayed.launches[2]).toBeGreaterThan(25);
    // They do not grow; collected garbage may make them fewer meanwhile.
    expect(replayed.tensors.at(-1), 'live tensors').toBeLessThanOrEqual(Math.max(...replayed.tensors.slice(0, 3)));
  });
});
