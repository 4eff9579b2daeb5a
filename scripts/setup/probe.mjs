// Looks for what residua needs on this system. Changes nothing.
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The oldest Node that residua runs on. */
export const neededNode = '20.17';

/** Whether Node `version` ('20.17.0') is older than the one that residua needs. */
export function isNodeTooOld(version) {
  const [major, minor] = version.split('.').map(Number);
  const [neededMajor, neededMinor] = neededNode.split('.').map(Number);
  return major < neededMajor || (major === neededMajor && minor < neededMinor);
}

/** The file that a command name stands for on PATH, or null. */
export function which(command) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, command)).find(isExecutable) ?? null;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The prefix of an installed oneDNN, or null. The default places are those that CMakeLists.txt looks at. */
export function findOneDnn(prefixes = oneDnnPrefixes()) {
  return prefixes.find((prefix) => existsSync(join(prefix, 'include', 'dnnl.hpp'))) ?? null;
}

function oneDnnPrefixes() {
  const { DNNL_ROOT, dnnl_ROOT, CONDA_PREFIX } = process.env;
  return [DNNL_ROOT, dnnl_ROOT, CONDA_PREFIX, '/usr', '/usr/local', '/opt/homebrew'].filter(Boolean);
}

/** The folder with all files of Fashion-MNIST, or null. The default places are those that lib/data looks at. */
export function findFashionMnist(folders = fashionMnistFolders()) {
  return folders.find((folder) => fashionMnistFiles.every((name) => hasFile(folder, name))) ?? null;
}

function fashionMnistFolders() {
  const named = process.env.RESIDUA_DATA;
  return [
    ...(named ? [named, join(named, 'fashion-mnist')] : []),
    '/usr/share/datasets/fashion-mnist',
    join(homedir(), '.residua', 'datasets', 'fashion-mnist'),
  ];
}

const fashionMnistFiles = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];

const hasFile = (folder, name) => existsSync(join(folder, name)) || existsSync(join(folder, `${name}.gz`));

/** Chromium on PATH, or null. The names are those that test/helpers/chromium.ts looks for. */
export function findBrowser() {
  return ['chromium', 'chromium-browser', 'google-chrome'].map(which).find(Boolean) ?? null;
}

/** Packages of the lock file that are not installed, or in another version. Optional ones, for other systems, do not count. */
export function outdatedDependencies(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(
      ([folder, { version, optional }]) => folder && !optional && installedVersion(join(root, folder)) !== version,
    )
    .map(([folder]) => folder.replace(/^.*node_modules\//, ''));
}

function installedVersion(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
  } catch {
    return null; // missing, or half written
  }
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

/** Whether CMake made `build` for a project in another place: it refuses to go on with such a folder. */
export function isBuiltElsewhere(root, build) {
  const cache = join(build, 'CMakeCache.txt');
  const home = existsSync(cache) && /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'));
  return Boolean(home) && home[1] !== realpathSync(root);
}

/** What residua needs from the system, and the packages that bring it. */
export const systemPackages = {
  compiler: { what: 'a C++17 compiler', apt: 'g++', dnf: 'gcc-c++', brew: 'gcc', conda: 'gxx' },
  make: { what: 'make', apt: 'make', dnf: 'make', brew: 'make', conda: 'make' },
  cmake: { what: 'CMake', apt: 'cmake', dnf: 'cmake', brew: 'cmake', conda: 'cmake' },
  oneDnn: { what: 'oneDNN', apt: 'libdnnl-dev', dnf: 'onednn-devel', brew: 'onednn', conda: 'onednn' },
  data: { what: 'the Fashion-MNIST data set', apt: 'dataset-fashion-mnist' },
  browser: { what: 'Chromium', apt: 'chromium', dnf: 'chromium' }, // for tests alone
};

/** Those that are missing on this system. What only a build needs counts where one is due. */
export function missingSystemPackages({ needsBuild }) {
  const { compiler, make, cmake, oneDnn, data } = systemPackages;
  const missing = [];
  if (needsBuild) {
    if (!which('c++') && !which('g++')) missing.push(compiler);
    if (!which('make') && !which('ninja')) missing.push(make);
    if (!which('cmake')) missing.push(cmake);
    if (!findOneDnn()) missing.push(oneDnn);
  }
  if (!findFashionMnist()) missing.push(data);
  return missing;
}

/** Whether this process may install Debian packages: apt-get is there and we are root. */
export function canInstall() {
  return which('apt-get') !== null && process.getuid?.() === 0 && process.env.RESIDUA_SETUP_INSTALL !== '0';
}
