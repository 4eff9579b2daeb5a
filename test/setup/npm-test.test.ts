// What `npm test` adds to the set-up: the emulation of CUDA, and vitest, in a scratch project of stand-ins.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScratchProject } from './scratch-project.js';

const emulationBuild = expect.stringMatching(/^cmake-js build .* --target \w+$/);

let project: ScratchProject;
beforeEach(() => {
  project = new ScratchProject();
});
afterEach(() => {
  project.dispose();
});

test('builds the emulation once, and tests on it', async () => {
  project.addPrograms('c++', 'make', 'cmake');
  expect((await project.npmTest()).status).toBe(0);
  expect(project.started()).toEqual([emulationBuild, 'vitest run [gpu(0): emulation]']);
  expect(await project.npmTest({ args: ['test/ops'] })).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(project.started()).toEqual(['vitest run test/ops [gpu(0): emulation]']);
});

test('builds the emulation anew where its sources changed', async () => {
  project.addPrograms('c++', 'make', 'cmake');
  await project.npmTest();
  project.started();
  project.write('native/cuda_emulation/stream.cc', '');
  project.touch('native/cuda_emulation/stream.cc', 3600);
  await project.npmTest();
  expect(project.started()).toEqual([emulationBuild, expect.stringMatching(/^vitest run/)]);
});

test('tests on the library that RESIDUA_CUDA_LIBRARY names', async () => {
  project.addPrograms('c++', 'make', 'cmake');
  await project.npmTest({ env: { RESIDUA_CUDA_LIBRARY: '/some/library.so' } });
  expect(project.started().at(-1)).toBe('vitest run [gpu(0): /some/library.so]');
});

test('says that it tests on the CPU alone where node-gyp has to do', async () => {
  project.addPrograms('c++', 'make', 'python3');
  const { status, stderr } = await project.npmTest({ env: { RESIDUA_SETUP_INSTALL: '0' } });
  expect(status).toBe(0);
  expect(stderr).toContain('tests run on the CPU backend alone');
  expect(project.started()).toEqual(['vitest run [gpu(0): undefined]']);
});

test('of a project that was moved, builds all anew', async () => {
  project.addPrograms('c++', 'make', 'cmake');
  project.write('build/CMakeCache.txt', 'CMAKE_HOME_DIRECTORY:INTERNAL=/somewhere/else\n');
  expect((await project.npmTest()).status).toBe(0);
  const [addonBuild, ...others] = project.started();
  expect(addonBuild).toMatch(/^cmake-js build (?!.*--target)/);
  expect(others).toEqual([emulationBuild, expect.stringMatching(/^vitest run/)]);
});

test('runs no test where the set-up fails', async () => {
  const { status, stderr } = await project.npmTest();
  expect(status).toBe(1);
  expect(stderr).toContain('Install with one of these');
  expect(project.started()).toEqual([]);
});
