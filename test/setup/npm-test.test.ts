// What `npm test` adds to the set-up: the emulation of CUDA, a browser, and vitest, in a scratch project of stand-ins.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ScratchProject } from './scratch-project.js';

const emulationBuild = expect.stringMatching(/^cmake-js build .* --target \w+$/);

let project: ScratchProject;
beforeEach(() => {
  project = new ScratchProject();
  project.addPrograms('chromium');
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

describe('the browser', () => {
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? '' : 'sudo ';
  const remedy =
    '[set-up] Tests of web pages are skipped. Missing: Chromium. Install with one of these, then run the same command again:\n' +
    `  Debian, Ubuntu:  ${sudo}apt-get update && ${sudo}apt-get install -y chromium\n` +
    `  Fedora, RHEL:    ${sudo}dnf install -y chromium\n`;

  beforeEach(() => {
    project.addPrograms('c++', 'make', 'cmake');
    project.remove('bin/chromium');
  });

  test('where it may not be installed: says how, and tests', async () => {
    project.addPrograms('apt-get');
    const ended = await project.npmTest({ env: { RESIDUA_SETUP_INSTALL: '0' } });
    expect(ended).toMatchObject({ status: 0, stdout: '' });
    expect(ended.stderr).toContain(remedy);
    expect(project.started()).toEqual([emulationBuild, expect.stringMatching(/^vitest run/)]);
  });

  test.runIf(isRoot)('root with apt-get: is installed, alone', async () => {
    project.addProgram(
      'apt-get',
      `if [ "$1" = install ]; then echo '#!/bin/sh' > "$BIN/chromium"; /bin/chmod +x "$BIN/chromium"; fi`,
    );
    const ended = await project.npmTest();
    expect(ended).toMatchObject({ status: 0, stdout: '' });
    expect(ended.stderr).not.toContain('Missing');
    expect(project.started()).toEqual([
      'apt-get update -qq',
      'apt-get install -y -qq --no-install-recommends chromium',
      emulationBuild,
      expect.stringMatching(/^vitest run/),
    ]);
  });

  test.runIf(isRoot)('root whose apt-get has no such package: says how, and tests', async () => {
    project.addProgram('apt-get', 'exit 100');
    const ended = await project.npmTest();
    expect(ended).toMatchObject({ status: 0, stdout: '' });
    expect(ended.stderr).toContain(remedy);
  });

  test('the set-up of `npm start` does not look for it', async () => {
    project.addPrograms('apt-get');
    expect(await project.setup()).toMatchObject({ status: 0, stderr: '[set-up] Everything is ready.\n' });
    expect(project.started()).toEqual([]);
  });
});

test('runs no test where the set-up fails', async () => {
  const { status, stderr } = await project.npmTest();
  expect(status).toBe(1);
  expect(stderr).toContain('Install with one of these');
  expect(project.started()).toEqual([]);
});
