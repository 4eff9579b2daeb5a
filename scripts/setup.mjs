// Set-up for `npm start` and `npm test`: dependencies, system packages, data set, native build, TypeScript build.
// Does only what is missing; prints a line for each thing it does. Uses nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildAndNote, builtFile, isAddonDue, isEmulationDue } from './setup/native-build.mjs';
import { canUseNodeGyp, nodeGypArguments } from './setup/node-gyp.mjs';
import {
  canInstall,
  findBrowser,
  isBuiltElsewhere,
  isNodeTooOld,
  isStale,
  missingSystemPackages,
  neededNode,
  outdatedDependencies,
  systemPackages,
  which,
} from './setup/probe.mjs';
import { dependencyRemedy, remedyText } from './setup/remedy.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const addon = builtFile(root, 'residua.node');

/** A set-up step that failed; the message says what to do. */
export class SetupError extends Error {}

/** Makes everything ready; with `tests`, what only tests need too: the emulation of the CUDA backend, a browser. Throws SetupError. */
export function setup({ tests = false } = {}) {
  checkNode();
  installDependencies();
  const needsBuild = isAddonDue(root) || (tests && isEmulationDue(root));
  installSystemPackages({ needsBuild });
  if (tests) installBrowser();
  if (needsBuild) dropForeignBuild();
  buildNative();
  if (tests) buildEmulation();
  buildLibrary();
}

/** Builds the addon where it is due and its tools are there; says what is missing where they are not. Ends with 1 where it fails. */
export function buildAddonOrExplain() {
  if (!isAddonDue(root)) return;
  let missing = missingSystemPackages({ needsBuild: true }).filter((item) => item !== systemPackages.data);
  if (canUseNodeGyp()) missing = missing.filter((item) => item !== systemPackages.cmake);
  if (missing.length > 0) {
    say(`The native addon is not built yet. ${remedyText(missing)}`);
    return;
  }
  orExit(buildNative);
}

function checkNode() {
  const found = process.versions.node;
  if (isNodeTooOld(found)) throw new SetupError(`residua needs Node ${neededNode} or later, this is ${found}.`);
}

function installDependencies() {
  const outdated = outdatedDependencies(root);
  if (outdated.length === 0) return;
  say(`Installing npm packages (${outdated.length} missing or of another version) ...`);
  // Not `npm ci`: it deletes what is there before it knows whether it can reach the registry. This one puts that back.
  const options = ['--no-save', '--prefer-offline', '--include=dev', '--no-audit', '--no-fund', '--loglevel', 'error'];
  const env = { ...process.env, RESIDUA_INSTALL_BUILD: '0' }; // the addon's turn comes below
  run('npm', ['install', ...options], dependencyRemedy(outdated), env);
  const still = outdatedDependencies(root);
  if (still.length > 0) throw new SetupError(dependencyRemedy(still));
}

function installSystemPackages({ needsBuild }) {
  let missing = missingSystemPackages({ needsBuild });
  if (missing.length > 0 && canInstall()) {
    aptInstall(missing);
    missing = missingSystemPackages({ needsBuild });
  }
  if (canUseNodeGyp()) missing = missing.filter((item) => item !== systemPackages.cmake);
  if (missing.length > 0) throw new SetupError(remedyText(missing));
}

/** On its own: not every system that has apt-get has this package, and the others must not fail with it. */
function installBrowser() {
  if (findBrowser()) return;
  if (canInstall()) aptInstall([systemPackages.browser]);
  if (!findBrowser()) say(`Tests of web pages are skipped. ${remedyText([systemPackages.browser])}`);
}

/** Tries to install; what is missing afterwards, for want of a network for instance, is for the caller to find out. */
function aptInstall(missing) {
  say(`Installing ${missing.map((item) => item.what).join(', ')} (apt-get) ...`);
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: ['ignore', 'ignore', 2] };
  const packages = missing.map((item) => item.apt);
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
}

/** Of a project that was moved, CMake would refuse to go on with the old folder. */
function dropForeignBuild() {
  const build = join(root, 'build');
  if (isBuiltElsewhere(root, build)) rmSync(build, { recursive: true });
}

function buildNative() {
  if (!isAddonDue(root)) return;
  if (which('cmake')) {
    say('Building the native addon (cmake-js, about two minutes) ...');
    buildAndNote(root, ['residua.node', 'libresidua_cuda.so'], () => runCmakeJs());
  } else {
    say('Building the native addon (node-gyp, as CMake is missing) ...');
    run(process.execPath, nodeGypArguments(root), 'The native build failed; see the messages above.');
  }
  if (!existsSync(addon)) throw new SetupError(`The native build ended without an error but left no ${addon}.`);
}

/** The same library with everything of CUDA replaced by code for the host. CMake alone builds it. */
function buildEmulation() {
  if (!isEmulationDue(root)) return;
  if (!which('cmake')) {
    say('The CUDA emulation is not built, as CMake is missing: tests run on the CPU backend alone.');
    return;
  }
  say('Building the CUDA emulation and its tests (cmake-js, about five minutes) ...');
  const name = 'libresidua_cuda_emulation.so';
  buildAndNote(root, [name], () => runCmakeJs('--target', 'residua_tests'));
  if (!existsSync(builtFile(root, name)))
    throw new SetupError(`The build of ${name} ended without an error but left none.`);
}

function runCmakeJs(...more) {
  // Installed as a dependency, this package has no node_modules of its own.
  const cmakeJs = join(dirname(createRequire(import.meta.url).resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const cores = String(availableParallelism());
  const args = ['build', '--out', 'build', '--config', 'Release', '--parallel', cores, '--log-level', 'warn', ...more];
  run(process.execPath, [cmakeJs, ...args], 'The native build failed; see the messages above.');
}

function buildLibrary() {
  if (
    !isStale(
      join(root, 'dist', 'index.js'),
      ['lib', 'tsconfig.json', 'tsconfig.build.json'].map((name) => join(root, name)),
    )
  )
    return;
  say('Compiling TypeScript ...');
  run(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    'The TypeScript build failed; see the messages above.',
  );
}

function run(command, args, failure, env = process.env) {
  // Both streams go to stderr: stdout belongs to the command that asked for the set-up.
  const result = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] });
  if (result.error) throw new SetupError(`${failure}\n(${command}: ${result.error.message})`);
  if (result.status !== 0)
    throw new SetupError(`${failure}\n(${command} ${args.join(' ')} ended with status ${result.status})`);
}

function say(text) {
  process.stderr.write(`[set-up] ${text}\n`);
}

/** Runs the set-up; on failure prints what to do and ends the process with status 1. */
export const setupOrExit = (options) => orExit(() => setup(options));

function orExit(work) {
  try {
    work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  setupOrExit();
  say('Everything is ready.');
}
