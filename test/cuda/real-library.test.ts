// libresidua_cuda.so as NVIDIA's tools build it: it needs what it should and shows one function, and the addon opens it on
// any machine, with or without a GPU. RESIDUA_REAL_CUDA_LIBRARY names one that is elsewhere than beside the addon.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addonFile } from '../../lib/native.js';
import { probe } from '../setup/setup-modules.js';
import { besideAddon, openElsewhere } from './emulated-gpu.js';

const library = process.env.RESIDUA_REAL_CUDA_LIBRARY ?? besideAddon('libresidua_cuda.so');
const skipped = besideAddon('libresidua_cuda.skipped');
const whyNot = existsSync(skipped) ? readFileSync(skipped, 'utf8') : `${library} is not there`;
const hasReadElf = probe.which('readelf') !== null;
const hasDriver = probe.which('nvidia-smi') !== null;

/** Names of the libraries that a shared object needs. */
const neededBy = (file: string): string[] =>
  [...execFileSync('readelf', ['-d', file], { encoding: 'utf8' }).matchAll(/NEEDED.*\[(.*)\]/g)].map(
    ([, name]) => name as string,
  );

test.skipIf(!hasReadElf)('the addon needs nothing of CUDA', () => {
  expect(neededBy(addonFile()).filter((name) => /cu|nv/.test(name))).toEqual([]);
});

const title = existsSync(library) ? 'the CUDA library' : `the CUDA library (skipped: not built, ${whyNot})`;
describe.skipIf(!existsSync(library))(title, () => {
  test.skipIf(!hasReadElf)('needs cuDNN 9 and cuBLAS; CUDA itself is in it', () => {
    const needed = neededBy(library).filter((name) => /cu|nv/.test(name));
    expect(needed).toContain('libcudnn.so.9');
    expect(needed.some((name) => /^libcublas\.so\.1[23]$/.test(name))).toBe(true);
    expect(needed.some((name) => /^libcublasLt\.so\.1[23]$/.test(name))).toBe(true);
    expect(needed.length).toBe(3);
  });

  test.skipIf(!hasReadElf)('shows one function', () => {
    const symbols = execFileSync('readelf', ['-W', '--dyn-syms', library], { encoding: 'utf8' });
    const shown = [...symbols.matchAll(/(?:GLOBAL|WEAK|UNIQUE) +DEFAULT +\d+ (\S+)/g)].map(([, name]) => name);
    expect(shown).toEqual(['residua_cuda_backend']);
  });

  test.skipIf(hasDriver)('loads without a driver, and says that it looked for one', async () => {
    const { kind, details } = await openElsewhere({ RESIDUA_CUDA_LIBRARY: library });
    expect(kind).toBe('BackendUnavailableError');
    expect(details).toMatchObject({
      device: 'gpu(0)',
      file: library,
      lookedFor: expect.stringMatching(/^an NVIDIA driver for CUDA 1[23]\.\d/),
      found: 'Found no driver (libcuda.so.1).',
      remedy: expect.stringContaining('Install the driver'),
    });
  });

  test.skipIf(!hasDriver)('opens the GPU of this machine', async () => {
    const { facts, message } = await openElsewhere({ RESIDUA_CUDA_LIBRARY: library });
    expect(message).toBeUndefined();
    expect(facts).toMatchObject({ emulation: 'no', libraryFile: library });
  });
});
