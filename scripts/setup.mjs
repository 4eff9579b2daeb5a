// Set-up for `npm start` and `npm test`: dependencies, system packages, data set, native build, TypeScript build.
// Does only what is missing; prints a line for each thing it does. Uses nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  canInstall,
  canUseNodeGyp,
  isStale,
  missingSystemPackages,
  outdatedDependencies,
  which,
} from './setup/probe.mjs';
import { remedyText } from './setup/remedy.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const addon = join(root, 'build', 'Release', 'residua.node');

/** A set-up step that failed; the message says what to do. */
export class SetupError extends Error {}

/** Makes everything ready. Throws SetupError. */
export function setup() {
  checkNode();
  installDependencies();
  installSystemPackages();
  buildNative();
  buildLibrary();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 17))
    throw new SetupError(`residua needs Node 20.17 or later, this is ${process.versions.node}.`);
}

function installDependencies() {
  const outdated = outdatedDependencies(root);
  if (outdated.length === 0) return;
  say(`Installing npm packages (${outdated.length} missing or of another version) ...`);
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'],
    'npm ci failed: is the npm registry within reach?',
  );
}

const nativeSources = ['native', 'CMakeLists.txt', 'binding.gyp'].map((name) => join(root, name));

function installSystemPackages() {
  const needsBuild = isStale(addon, nativeSources);
  const missing = missingSystemPackages({ needsBuild });
  if (missing.length === 0) return;
  if (!canInstall()) {
    const rest = canUseNodeGyp() ? missing.filter((item) => item.apt !== 'cmake') : missing;
    if (rest.length === 0) return;
    throw new SetupError(remedyText(rest));
  }
  say(`Installing ${missing.map((item) => item.what).join(', ')} (apt-get) ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const packages = missing.map((item) => item.apt);
  run('apt-get', ['update', '-qq'], remedyText(missing), env);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], remedyText(missing), env);
  const still = missingSystemPackages({ needsBuild });
  if (still.length > 0) throw new SetupError(remedyText(still));
}

function buildNative() {
  if (!isStale(addon, nativeSources)) return;
  if (which('cmake')) {
    say('Building the native addon (cmake-js, about two minutes) ...');
    const cmakeJs = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js');
    const cores = String(availableParallelism());
    run(
      process.execPath,
      [cmakeJs, 'build', '--out', 'build', '--config', 'Release', '--parallel', cores, '--log-level', 'warn'],
      'The native build failed; see the messages above.',
    );
  } else {
    say('Building the native addon (node-gyp, as CMake is missing) ...');
    const nodeGyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    run(
      process.execPath,
      [nodeGyp, 'rebuild', '--loglevel', 'warn'],
      'The native build failed; see the messages above.',
    );
  }
  if (!existsSync(addon)) throw new SetupError(`The native build ended without an error but left no ${addon}.`);
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
export function setupOrExit() {
  try {
    setup();
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
