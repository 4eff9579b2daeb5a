// The native build without CMake: node-gyp and binding.gyp.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findOneDnn, which } from './probe.mjs';

/** Whether node-gyp can build in CMake's place: it needs Python and make. */
export function canUseNodeGyp() {
  return which('python3') !== null && which('make') !== null;
}

/** Arguments for Node that build the addon of the project at `root` into build/Release/. Nothing is downloaded. */
export function nodeGypArguments(root) {
  const oneDnn = findOneDnn();
  return [
    join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'),
    'rebuild',
    `--nodedir=${join(root, 'scripts', 'setup', 'node-gyp')}`,
    '--force-process-config', // variables of the running Node: the folder above has no config.gypi
    ...(oneDnn && oneDnn !== '/usr' ? [`--dnnl_root=${oneDnn}`] : []),
    '--jobs',
    String(availableParallelism()),
    '--loglevel',
    'warn',
  ];
}
