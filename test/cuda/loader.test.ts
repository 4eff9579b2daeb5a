// gpu(0) that cannot be had: each way says what was looked for, what was found and what would help.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addonFile } from '../../lib/native.js';
import { residua } from '../cli/run-cli.js';
import { compiledLibrary } from '../helpers/dist.js';
import { probe } from '../setup/setup-modules.js';
import { emulationFile, hasNoEmulation, type Opened, openElsewhere } from './emulated-gpu.js';

/** Fails unless the device is unavailable and the three parts say this. */
function expectUnavailable(
  { kind, message, details }: Opened,
  parts: { lookedFor: string | RegExp; found: string | RegExp; remedy: string | RegExp },
): void {
  expect(kind).toBe('BackendUnavailableError');
  for (const [name, part] of Object.entries(parts)) {
    expect(details?.[name], name).toMatch(part);
    expect(message).toContain(details?.[name]);
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-loader-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the library', () => {
  test('named by RESIDUA_CUDA_LIBRARY, missing', async () => {
    const file = join(folder, 'backend.so');
    const opened = await openElsewhere({ RESIDUA_CUDA_LIBRARY: file });
    expectUnavailable(opened, {
      lookedFor: `${file} (as RESIDUA_CUDA_LIBRARY says)`,
      found: 'no such file',
      remedy: 'Correct RESIDUA_CUDA_LIBRARY',
    });
    expect(opened.details).toMatchObject({ device: 'gpu(0)', file });
  });

  test('beside the addon, missing: as the build was without CMake', async () => {
    const addon = join(folder, 'residua.node');
    copyFileSync(addonFile(), addon);
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: '' }, { addon }), {
      lookedFor: join(folder, 'libresidua_cuda.so'),
      found: 'It was not built with this addon',
      remedy: 'npm run build:native',
    });
  });

  test('beside the addon, missing: the reason that the build wrote down', async () => {
    const addon = join(folder, 'residua.node');
    copyFileSync(addonFile(), addon);
    writeFileSync(join(folder, 'libresidua_cuda.skipped'), 'no cuDNN 9 (looked everywhere)');
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: '' }, { addon }), {
      lookedFor: join(folder, 'libresidua_cuda.so'),
      found: 'skipped when the addon was built: no cuDNN 9 (looked everywhere).',
      remedy: 'cudnn',
    });
  });

  test('the emulation, missing', async () => {
    const addon = join(folder, 'residua.node');
    copyFileSync(addonFile(), addon);
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: 'emulation' }, { addon }), {
      lookedFor: join(folder, 'libresidua_cuda_emulation.so'),
      found: 'no such file',
      remedy: 'npm test',
    });
  });

  test('that is no library', async () => {
    const file = join(folder, 'backend.so');
    writeFileSync(file, 'text');
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: file }), {
      lookedFor: file,
      found: /^It does not load: .*backend\.so/,
      remedy: 'Correct RESIDUA_CUDA_LIBRARY',
    });
  });

  test('that is another one', async () => {
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: addonFile() }), {
      lookedFor: `residua_cuda_backend in ${addonFile()}`,
      found: "not residua's CUDA backend",
      remedy: 'Correct RESIDUA_CUDA_LIBRARY',
    });
  });
});

describe.skipIf(!probe.which('c++'))('a library of', () => {
  /** Compiles C++ into a library that needs `needs`, which is not there when it is opened. */
  function compile(source: string, needs?: string): string {
    const [file, code] = [join(folder, 'backend.so'), join(folder, 'backend.cc')];
    const library = ['-shared', '-fPIC', '-x', 'c++'];
    writeFileSync(code, source);
    const linked: string[] = [];
    if (needs) {
      const stub = join(folder, needs);
      execFileSync('c++', [...library, '/dev/null', `-Wl,-soname,${needs}`, '-o', stub]);
      linked.push('-Wl,--no-as-needed', '-x', 'none', stub);
    }
    execFileSync('c++', [...library, code, '-o', file, ...linked]);
    if (needs) rmSync(join(folder, needs));
    return file;
  }

  test.each([
    ['libcudnn.so.9', 'nvidia-cudnn-cu13'],
    ['libcublas.so.13', 'nvidia-cublas'],
    ['libnvrtc.so.13', 'nvidia-cuda-nvrtc'],
  ])('which needs %s, and there is none', async (needs, packageName) => {
    const file = compile('', needs);
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: file, LD_LIBRARY_PATH: '' }), {
      lookedFor: file,
      found: `${needs}: cannot open shared object file`,
      remedy: new RegExp(`pip: ${packageName}.*apt.*conda.*LD_LIBRARY_PATH`),
    });
  });

  test('another interface version', async () => {
    const file = compile(
      'extern "C" int residua_cuda_backend(int, int, void**, char* text, unsigned long) { text[0] = \'1\'; text[1] = 0; return -1; }',
    );
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: file }), {
      lookedFor: /interface version \d+/,
      found: `${file} has version 1`,
      remedy: 'npm run build:native',
    });
  });

  test('a status that means nothing', async () => {
    const file = compile(
      'extern "C" int residua_cuda_backend(int, int, void**, char* text, unsigned long) { text[0] = \'?\'; text[1] = 0; return 77; }',
    );
    expectUnavailable(await openElsewhere({ RESIDUA_CUDA_LIBRARY: file }), {
      lookedFor: 'a GPU with CUDA',
      found: '?',
      remedy: 'residua doctor',
    });
  });
});

describe.skipIf(hasNoEmulation)(`the machine${hasNoEmulation ? ' (skipped: the emulation is not built)' : ''}`, () => {
  const open = (env: Record<string, string>, name?: string): Promise<Opened> =>
    openElsewhere({ RESIDUA_CUDA_LIBRARY: emulationFile, ...env }, { name });

  test('without a driver', async () => {
    expectUnavailable(await open({ RESIDUA_EMULATED_DRIVER: '0' }), {
      lookedFor: /an NVIDIA driver for CUDA \d+\.\d+ \(version \d+ or later\)/,
      found: 'no driver (libcuda.so.1)',
      remedy: /Install the driver.*--gpus all/,
    });
  });

  test('with a driver that is too old', async () => {
    expectUnavailable(await open({ RESIDUA_EMULATED_DRIVER: '12020' }), {
      lookedFor: 'an NVIDIA driver',
      found: 'one for CUDA 12.2, which is too old',
      remedy: 'Update the driver',
    });
  });

  test('with a driver that does not work', async () => {
    expectUnavailable(await open({ RESIDUA_EMULATED_FAULT: 'cudaGetDeviceCount:1:803' }), {
      lookedFor: 'an NVIDIA driver',
      found: 'cudaErrorSystemDriverMismatch',
      remedy: 'nvidia-smi',
    });
  });

  test('without a GPU', async () => {
    expectUnavailable(await open({ RESIDUA_EMULATED_DEVICES: '0', CUDA_VISIBLE_DEVICES: '-1' }), {
      lookedFor: 'an NVIDIA GPU',
      found: /no GPU\. CUDA_VISIBLE_DEVICES is '-1'/,
      remedy: 'nvidia-smi -L',
    });
  });

  test('with fewer GPUs', async () => {
    expectUnavailable(await open({}, 'gpu(3)'), {
      lookedFor: 'GPU number 3',
      found: 'one GPU, gpu(0)',
      remedy: 'Choose',
    });
    expectUnavailable(await open({ RESIDUA_EMULATED_DEVICES: '2' }, 'gpu(2)'), {
      lookedFor: 'GPU number 2',
      found: '2 GPUs, gpu(0) to gpu(1)',
      remedy: 'Choose',
    });
  });

  test('with a GPU that is full', async () => {
    expectUnavailable(await open({ RESIDUA_EMULATED_MEMORY: '100MiB' }), {
      lookedFor: '256.0 MiB of free GPU memory',
      found: /free of 100\.0 MiB/,
      remedy: 'nvidia-smi',
    });
  });

  test.each([
    ['cudaGetDeviceProperties:1', 'GPU number 0', 'CUDA fails on it'],
    ['cudaMemGetInfo:1:46', 'a GPU that can be used', 'cudaErrorDevicesUnavailable'],
    ['cudnnCreate:1', 'a GPU on which CUDA, cuDNN and cuBLAS start', 'cuDNN failed'],
    ['cublasCreate:1', 'a GPU on which CUDA, cuDNN and cuBLAS start', 'cuBLAS failed'],
    ['cudaLaunchKernel:1:209', 'kernels for compute capability 9.0', 'cudaErrorNoKernelImageForDevice'],
    ['cudaMallocHost:1', 'memory for the backend itself', 'cudaErrorMemoryAllocation'],
  ])('where %s fails', async (fault, lookedFor, found) => {
    expectUnavailable(await open({ RESIDUA_EMULATED_FAULT: fault }), { lookedFor, found, remedy: /\w/ });
  });

  test.each([
    ['RESIDUA_TF32', 'maybe'],
    ['RESIDUA_CUDNN_BENCHMARK', 'yes'],
    ['RESIDUA_CUDA_GRAPHS', 'off'],
    ['RESIDUA_GPU_MEMORY_LIMIT', '8 gigabytes'],
    ['RESIDUA_GPU_MEMORY_LIMIT', '0'],
  ])('with %s=%s: a ConfigError, which is no reason to go on without', async (variable, value) => {
    const { kind, message } = await open({ [variable]: value });
    expect(kind).toBe('ConfigError');
    expect(message).toContain(`${variable} expected`);
    expect(message).toContain(`'${value}'`);
  });

  test('as it should be', async () => {
    const { facts } = await open({ RESIDUA_GPU_MEMORY_LIMIT: '1.5 GiB', RESIDUA_TF32: '0' });
    expect(facts).toMatchObject({
      computeCapability: '9.0',
      memoryLimit: '1.5 GiB',
      tf32: 'no',
      libraryFile: emulationFile,
      emulation: 'yes',
    });
    for (const key of ['driver', 'cudaRuntime', 'cuDNN', 'cuBLAS']) expect(facts?.[key], key).toMatch(/\d+\.\d+/);
  });
});

describe('residua doctor', () => {
  test('shows why there is no GPU as a table, and as JSON', async () => {
    compiledLibrary();
    const env = { RESIDUA_CUDA_LIBRARY: '/nowhere/backend.so' };
    const { status, stdout } = await residua(['doctor'], { env });
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /gpu\(0\): not available\n {2}looked for +\/nowhere\/backend\.so.*\n {2}found +There is no such file\.\n {2}remedy +\w/,
    );
    const { devices } = JSON.parse((await residua(['doctor', '--json'], { env })).stdout);
    expect(devices[1]).toMatchObject({
      name: 'gpu(0)',
      available: false,
      problem: { lookedFor: expect.stringContaining('/nowhere/backend.so'), found: 'There is no such file.' },
    });
  });

  test.skipIf(hasNoEmulation)('describes a GPU that works', async () => {
    const { stdout } = await residua(['doctor'], { env: { RESIDUA_CUDA_LIBRARY: emulationFile } });
    expect(stdout).toMatch(/gpu\(0\): works\n {2}gpu +Emulated GPU\n[\s\S]* {2}emulation +yes\n/);
  });
});
