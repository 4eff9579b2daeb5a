// Where the build looks for nvcc, cuDNN and cuBLAS (native/cuda/find_cuda.cmake), in trees of files that only look like them.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../lib/native.js';
import { probe } from '../setup/setup-modules.js';

const cmake = probe.which('cmake');

describe.skipIf(!cmake)(`find_cuda.cmake${cmake ? '' : ' (skipped: no cmake)'}`, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'residua-find-cuda-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(file: string, text = ''): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  function writeProgram(file: string, script: string): void {
    write(file, `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, file), 0o755);
  }
  const writeNvcc = (file: string, version: string): void =>
    writeProgram(
      file,
      `case "$1" in --version) echo "Cuda compilation tools, release ${version}, V${version}.1";; *) echo compute_75 compute_80 compute_90 compute_120;; esac`,
    );
  function writeCudnn(prefix: string, version = '9.24.0'): void {
    const [major, minor, patch] = version.split('.');
    write(`${prefix}/include/cudnn.h`);
    write(
      `${prefix}/include/cudnn_version.h`,
      `#define CUDNN_MAJOR ${major}\n#define CUDNN_MINOR ${minor}\n#define CUDNN_PATCHLEVEL ${patch}\n#define CUDNN_VERSION (CUDNN_MAJOR * 10000)\n`,
    );
    write(`${prefix}/lib/libcudnn.so.9`);
  }
  function writeCublas(prefix: string, major: number): void {
    write(`${prefix}/include/cublas_v2.h`);
    for (const name of ['cublas', 'cublasLt']) write(`${prefix}/lib/lib${name}.so.${major}`);
  }

  /** What is found where nothing of this machine is looked at but what `folder` holds. Paths are told from there. */
  function find(settings: Record<string, string> = {}, env: Record<string, string> = {}): Record<string, string> {
    const names = ['RESIDUA_CUDA_MISSING', 'RESIDUA_NVCC', 'RESIDUA_CUDA_VERSION', 'RESIDUA_CUDNN_VERSION'];
    names.push('CUDNN_INCLUDE', 'CUDNN_LIBRARY', 'CUBLAS_INCLUDE', 'CUBLAS_LIBRARY', 'CUBLASLT_LIBRARY');
    const found = run(settings, env, [
      'residua_find_cuda()',
      ...names.map((name) => `message("${name}=\${${name}}")`),
      'residua_choose_architectures()',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CMake's
      'message("architectures=${CMAKE_CUDA_ARCHITECTURES}")',
    ]);
    return Object.fromEntries(
      found.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  function run(settings: Record<string, string>, env: Record<string, string>, commands: string[]): string[] {
    write(
      'find.cmake',
      [
        'set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH FALSE)',
        `set(RESIDUA_DEFAULT_TOOLKIT ${join(folder, 'nothing')})`,
        ...Object.entries(settings).map(([name, value]) => `set(${name} "${value}")`),
        `include(${join(packageRoot, 'native/cuda/find_cuda.cmake')})`,
        ...commands,
      ].join('\n'),
    );
    mkdirSync(join(folder, 'bin'), { recursive: true });
    const script = ['-c', `"${cmake}" -P find.cmake 2>&1`];
    const output = execFileSync('/bin/sh', script, {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: join(folder, 'bin'), ...env },
    });
    return output.replaceAll(folder, '').trim().split('\n');
  }

  test("NVIDIA's wheels for CUDA 13, in CUDA_LIBS_ROOT", () => {
    writeNvcc('bin/nvcc', '13.0');
    writeCudnn('site/nvidia/cudnn');
    writeCublas('site/nvidia/cu13', 13);
    const expected = {
      RESIDUA_CUDA_MISSING: '',
      RESIDUA_CUDA_VERSION: '13.0',
      RESIDUA_CUDNN_VERSION: '9.24.0',
      CUDNN_INCLUDE: '/site/nvidia/cudnn/include',
      CUDNN_LIBRARY: '/site/nvidia/cudnn/lib/libcudnn.so.9',
      CUBLAS_LIBRARY: '/site/nvidia/cu13/lib/libcublas.so.13',
      CUBLASLT_LIBRARY: '/site/nvidia/cu13/lib/libcublasLt.so.13',
    };
    const nvcc = { RESIDUA_NVCC: join(folder, 'bin/nvcc') };
    expect(find({ CUDA_LIBS_ROOT: join(folder, 'site'), ...nvcc })).toMatchObject(expected);
    expect(find(nvcc, { CUDA_LIBS_ROOT: join(folder, 'site') })).toMatchObject(expected);
  });

  test("NVIDIA's wheels for CUDA 12, in the active Python", () => {
    writeNvcc('cuda/bin/nvcc', '12.6');
    writeCudnn('lib/site-packages/nvidia/cudnn', '9.1.0');
    writeCublas('lib/site-packages/nvidia/cublas', 12);
    writeProgram('bin/python3', `echo "${join(folder, 'lib/site-packages')}"`);
    expect(find({}, { CUDA_HOME: join(folder, 'cuda') })).toMatchObject({
      RESIDUA_CUDA_MISSING: '',
      RESIDUA_NVCC: '/cuda/bin/nvcc',
      RESIDUA_CUDA_VERSION: '12.6',
      RESIDUA_CUDNN_VERSION: '9.1.0',
      CUDNN_LIBRARY: '/lib/site-packages/nvidia/cudnn/lib/libcudnn.so.9',
      CUBLAS_LIBRARY: '/lib/site-packages/nvidia/cublas/lib/libcublas.so.12',
    });
  });

  test.each(['CUDA_HOME', 'CUDA_PATH', 'CUDAToolkit_ROOT'])('a toolkit that has all, in %s', (variable) => {
    writeNvcc('toolkit/bin/nvcc', '13.1');
    writeCudnn('toolkit');
    writeCublas('toolkit', 13);
    expect(find({}, { [variable]: join(folder, 'toolkit') })).toMatchObject({
      RESIDUA_CUDA_MISSING: '',
      RESIDUA_NVCC: '/toolkit/bin/nvcc',
      CUDNN_INCLUDE: '/toolkit/include',
      CUBLAS_INCLUDE: '/toolkit/include',
    });
  });

  test('CUDNN_ROOT comes before the others', () => {
    writeNvcc('toolkit/bin/nvcc', '13.0');
    for (const prefix of ['toolkit', 'mine']) writeCudnn(prefix);
    writeCublas('toolkit', 13);
    const toolkit = { CUDA_HOME: join(folder, 'toolkit') };
    expect(find({ CUDNN_ROOT: join(folder, 'mine') }, toolkit).CUDNN_INCLUDE).toBe('/mine/include');
    expect(find({}, { CUDNN_ROOT: join(folder, 'mine'), ...toolkit }).CUDNN_INCLUDE).toBe('/mine/include');
  });

  test('what is missing is named, and where it was looked for', () => {
    writeNvcc('bin/nvcc', '13.0');
    const { RESIDUA_CUDA_MISSING: missing } = find({ RESIDUA_NVCC: join(folder, 'bin/nvcc') });
    expect(missing).toContain('no cuDNN 9 (looked for cudnn.h and libcudnn.so.9 in CUDNN_ROOT,');
    expect(missing).toContain('no cuBLAS 13 (looked for cublas_v2.h and libcublas.so.13');
  });

  test.each([
    ['11.8', '9.24.0', /nvcc is of CUDA '11\.8', 12\.0 or later is needed/],
    ['13.0', '8.9.7', /cudnn\.h is of cuDNN '8\.9\.7', 9 is needed/],
  ])('nvcc %s with cuDNN %s does not do', (nvcc, cudnn, missing) => {
    writeNvcc('toolkit/bin/nvcc', nvcc);
    writeCudnn('toolkit', cudnn);
    writeCublas('toolkit', Number.parseInt(nvcc, 10));
    expect(find({}, { CUDA_HOME: join(folder, 'toolkit') }).RESIDUA_CUDA_MISSING).toMatch(missing);
  });

  test("a cuBLAS of another CUDA version than nvcc's does not do", () => {
    writeNvcc('toolkit/bin/nvcc', '13.0');
    writeCudnn('toolkit');
    writeCublas('toolkit', 12);
    expect(find({}, { CUDA_HOME: join(folder, 'toolkit') }).RESIDUA_CUDA_MISSING).toMatch(/^no cuBLAS 13/);
  });

  test("architectures: this machine's GPUs, else those of a release, else what is asked for", () => {
    writeNvcc('bin/nvcc', '13.0');
    const nvcc = { RESIDUA_NVCC: join(folder, 'bin/nvcc') };
    expect(find(nvcc).architectures).toBe('75-real;80-real;90a-real;120');
    writeProgram('bin/nvidia-smi', 'echo 9.0; echo 9.0; echo 8.6');
    expect(find(nvcc).architectures).toBe('90-real;86-real');
    writeProgram('bin/nvidia-smi', 'echo "couldn\'t communicate with the driver"; exit 9');
    expect(find(nvcc).architectures).toBe('75-real;80-real;90a-real;120');
    expect(find({ ...nvcc, CMAKE_CUDA_ARCHITECTURES: '89-real' }).architectures).toBe('89-real');
  });
});
