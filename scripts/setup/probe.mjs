// Looks for what residua needs on this system. Changes nothing.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The file that a command name stands for on PATH, or null. */
export function which(command) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, command);
    if (folder && existsSync(file) && statSync(file).isFile()) return file;
  }
  return null;
}

/** Where dnnl.hpp lies, or null. The same places as CMakeLists.txt looks at. */
export function findOneDnn() {
  const prefixes = [
    process.env.DNNL_ROOT,
    process.env.dnnl_ROOT,
    process.env.CONDA_PREFIX,
    '/usr',
    '/usr/local',
    '/opt/homebrew',
  ];
  return (
    prefixes
      .filter(Boolean)
      .find(
        (prefix) =>
          existsSync(join(prefix, 'include', 'dnnl.hpp')) ||
          existsSync(join(prefix, 'include', 'oneapi', 'dnnl', 'dnnl.hpp')),
      ) ?? null
  );
}

/** The folder of the Fashion-MNIST files, or null. The same places as lib/data looks at. */
export function findFashionMnist() {
  const folders = [
    process.env.RESIDUA_DATA,
    '/usr/share/datasets/fashion-mnist',
    join(homedir(), '.residua', 'datasets', 'fashion-mnist'),
  ];
  return (
    folders
      .filter(Boolean)
      .find((folder) => hasFile(folder, 'train-images-idx3-ubyte') && hasFile(folder, 't10k-labels-idx1-ubyte')) ?? null
  );
}

const hasFile = (folder, name) => existsSync(join(folder, name)) || existsSync(join(folder, `${name}.gz`));

/** Direct dependencies whose installed version is not the locked one. */
export function outdatedDependencies(root) {
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const { dependencies = {}, devDependencies = {} } = locked[''];
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    const file = join(root, 'node_modules', name, 'package.json');
    return (
      !existsSync(file) || JSON.parse(readFileSync(file, 'utf8')).version !== locked[`node_modules/${name}`].version
    );
  });
}

/** Whether `target` is missing or older than any file under `sources` (files or folders). */
export function isStale(target, sources) {
  if (!existsSync(target)) return true;
  const built = statSync(target).mtimeMs;
  return sources.some((source) => existsSync(source) && newestUnder(source) > built);
}

function newestUnder(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestUnder(join(path, name))), 0);
}

/** What is missing on this system, with the packages that bring it. What only a build needs counts where one is due. */
export function missingSystemPackages({ needsBuild }) {
  const missing = needsBuild ? missingBuildTools() : [];
  if (!findFashionMnist()) missing.push({ what: 'the Fashion-MNIST data set', apt: 'dataset-fashion-mnist' });
  return missing;
}

function missingBuildTools() {
  const missing = [];
  if (!which('c++') && !which('g++'))
    missing.push({ what: 'a C++17 compiler', apt: 'g++', dnf: 'gcc-c++', brew: 'gcc', conda: 'gxx' });
  if (!which('make') && !which('ninja'))
    missing.push({ what: 'make', apt: 'make', dnf: 'make', brew: 'make', conda: 'make' });
  if (!which('cmake')) missing.push({ what: 'CMake', apt: 'cmake', dnf: 'cmake', brew: 'cmake', conda: 'cmake' });
  if (!findOneDnn())
    missing.push({ what: 'oneDNN', apt: 'libdnnl-dev', dnf: 'onednn-devel', brew: 'onednn', conda: 'onednn' });
  return missing;
}

/** Whether this process may install Debian packages: apt-get is there and we are root. */
export function canInstall() {
  return which('apt-get') !== null && process.getuid?.() === 0 && process.env.RESIDUA_SETUP_INSTALL !== '0';
}

/** Whether node-gyp could build in CMake's place: it needs Python and make. */
export function canUseNodeGyp() {
  return which('python3') !== null && which('make') !== null;
}
