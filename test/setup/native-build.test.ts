// Which of the native libraries are due: each has sources of its own, and a build that finds nothing to do counts as one.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScratchProject } from './scratch-project.js';

const addon = 'build/Release/residua.node';
const backend = 'build/Release/libresidua_cuda.so';
const emulation = 'build/Release/libresidua_cuda_emulation.so';
const addonBuild = expect.stringMatching(/^cmake-js build (?!.*--target)/);
const emulationBuild = expect.stringMatching(/^cmake-js build .* --target residua_tests$/);

let project: ScratchProject;
beforeEach(() => {
  project = new ScratchProject();
  project.addPrograms('c++', 'make', 'cmake');
  for (const source of ['native/core/op.h', 'native/cuda/op.cu', 'native/cuda_emulation/streams.cc']) {
    project.write(source, '');
    project.touch(source, -3600);
  }
  // A cmake-js that leaves libraries alone that are there, as make does where no object changed.
  project.write(
    'node_modules/cmake-js/bin/cmake-js',
    `import('node:fs').then(({ appendFileSync, existsSync, writeFileSync }) => {
       appendFileSync('log', ['cmake-js', ...process.argv.slice(2)].join(' ') + '\\n');
       const file = process.argv.includes('--target') ? '${emulation}' : '${addon}';
       if (!existsSync(file)) writeFileSync(file, 'built');
     });`,
  );
});
afterEach(() => {
  project.dispose();
});

/** What `npm test` builds. */
async function builtByTest(): Promise<string[]> {
  expect((await project.npmTest()).status).toBe(0);
  return project.started().filter((line) => line.startsWith('cmake-js'));
}

/** Everything built half an hour ago; then `source` changed. */
async function change(source: string): Promise<void> {
  await builtByTest();
  for (const built of [addon, emulation, `${emulation}.built`]) project.touch(built, -1800);
  project.touch(source, -900);
}

test.each([
  ['native/cuda/op.cu', [emulationBuild]],
  ['native/cuda_emulation/streams.cc', [emulationBuild]],
  ['native/addon.cc', [addonBuild]],
  ['native/core/op.h', [addonBuild, emulationBuild]],
])('%s changed: built once', async (source, builds) => {
  await change(source);
  expect(await builtByTest()).toEqual(builds);
  expect(await builtByTest()).toEqual([]);
});

test('the CUDA backend counts where there is one', async () => {
  await change('native/cuda/op.cu');
  expect((await project.setup()).status).toBe(0);
  expect(project.started()).toEqual([]);
  project.write(backend, '');
  project.touch(backend, -1800);
  expect((await project.setup()).status).toBe(0);
  expect(project.started()).toEqual([addonBuild]);
  expect((await project.setup()).status).toBe(0);
  expect(project.started()).toEqual([]);
});
