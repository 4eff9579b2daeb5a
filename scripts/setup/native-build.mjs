// What the native build makes, and when it is due.
import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isStale } from './probe.mjs';

const always = ['CMakeLists.txt', 'native/core'];
const sources = {
  'residua.node': [...always, 'binding.gyp', 'native/addon.cmake', 'native/addon.cc', 'native/binding', 'native/cpu'],
  'libresidua_cuda.so': [...always, 'native/cuda'],
  // With the tests beside it, those of the CPU's kernels too.
  'libresidua_cuda_emulation.so': [...always, 'native/cuda', 'native/cuda_emulation', 'native/cpu', 'native/cpu_tests'],
};

/** The file that is built under that name. */
export const builtFile = (root, name) => join(root, 'build', 'Release', name);

/** Whether the addon is to be built, or the CUDA backend where there is one. */
export function isAddonDue(root) {
  return (
    isDue(root, 'residua.node') ||
    (existsSync(builtFile(root, 'libresidua_cuda.so')) && isDue(root, 'libresidua_cuda.so'))
  );
}

/** Whether the emulation of the CUDA backend is to be built. */
export const isEmulationDue = (root) => isDue(root, 'libresidua_cuda_emulation.so');

/**
 * Runs a build and notes when it began, as the time that its files are as new as. Their own times do not tell: a file is not
 * written where a source changed that it does not depend on.
 */
export function buildAndNote(root, names, build) {
  const began = new Date();
  build();
  for (const name of names) {
    const file = builtFile(root, name);
    if (!existsSync(file)) continue;
    writeFileSync(noteOf(file), '');
    utimesSync(noteOf(file), began, began);
  }
}

const noteOf = (file) => `${file}.built`;

function isDue(root, name) {
  const file = builtFile(root, name);
  const from = sources[name].map((source) => join(root, source));
  return !existsSync(file) || (isStale(file, from) && isStale(noteOf(file), from));
}
