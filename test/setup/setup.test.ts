// The set-up from outside, in a scratch project whose programs are stand-ins: what it starts, prints and ends with.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ScratchProject } from './scratch-project.js';
import { probe } from './setup-modules.js';

const isRoot = process.getuid?.() === 0;
const buildTools = ['c++', 'make', 'cmake'];
const everyProgram = ['npm', 'apt-get', 'c++', 'g++', 'make', 'ninja', 'cmake', 'python3', 'tsc', 'node-gyp'];
const ready = '[set-up] Everything is ready.\n';

let project: ScratchProject;
beforeEach(() => {
  project = new ScratchProject();
});
afterEach(() => {
  project.dispose();
});

describe('with nothing missing', () => {
  test('starts nothing and says no more than that all is ready', async () => {
    project.addPrograms(...everyProgram);
    expect(await project.setup()).toEqual({ status: 0, stdout: '', stderr: ready });
    expect(project.started()).toEqual([]);
  });

  test('needs neither npm nor compiler nor network', async () => {
    expect(await project.setup()).toEqual({ status: 0, stdout: '', stderr: ready });
  });
});

describe('does what is due, once', () => {
  test('the native build where a source is newer than the addon', async () => {
    project.addPrograms(...everyProgram);
    project.touch('native/addon.cc', 3600);
    expect((await project.setup()).status).toBe(0);
    expect(project.started()).toEqual([
      expect.stringMatching(/^cmake-js build --out build --config Release --parallel \d+/),
    ]);
    expect(readFileSync(join(project.folder, 'build/Release/residua.node'), 'utf8')).toBe('built');
    project.touch('native/addon.cc', -3600);
    expect((await project.setup()).stderr).toBe(ready);
    expect(project.started()).toEqual([]);
  });

  test('a build folder that was made elsewhere is made anew', async () => {
    project.addPrograms(...everyProgram);
    project.write('build/CMakeCache.txt', 'CMAKE_HOME_DIRECTORY:INTERNAL=/somewhere/else\n');
    expect((await project.setup()).stderr).toBe(ready); // the addon itself is as good as before
    project.touch('native/addon.cc', 3600);
    expect((await project.setup()).status).toBe(0);
    expect(existsSync(join(project.folder, 'build/CMakeCache.txt'))).toBe(false);
    expect(existsSync(join(project.folder, 'build/Release/residua.node'))).toBe(true);
  });

  test('the TypeScript build where dist/ is missing', async () => {
    project.addPrograms(...everyProgram);
    project.remove('dist/index.js');
    expect((await project.setup()).status).toBe(0);
    expect(project.started()).toEqual(['typescript -p tsconfig.build.json']);
    expect((await project.setup()).stderr).toBe(ready);
    expect(project.started()).toEqual([]);
  });

  test('node-gyp builds where CMake is missing, with headers from here', async () => {
    project.addPrograms('c++', 'make', 'python3');
    project.remove('build/Release/residua.node');
    expect(await project.setup()).toMatchObject({ status: 0, stdout: '' });
    const [build, ...others] = project.started();
    expect(others).toEqual([]);
    expect(build).toMatch(/^node-gyp rebuild /);
    expect(build).toContain(`--nodedir=${join(project.folder, 'scripts/setup/node-gyp')} `);
    expect(build).toContain(`--dnnl_root=${join(project.folder, 'onednn')} `);
  });
});

describe('npm packages', () => {
  test('without a working npm, complete ones are enough', async () => {
    project.addProgram('npm', 'exit 1');
    expect(await project.setup()).toMatchObject({ status: 0, stderr: ready });
    expect(project.started()).toEqual([]);
  });

  test('a missing one, and no registry: says which and what to do; the others stay', async () => {
    project.addProgram('npm', 'exit 1');
    project.remove('node_modules/cmake-js');
    const { status, stdout, stderr } = await project.setup();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('cmake-js');
    expect(stderr).toContain("Is the npm registry within reach? Try 'npm ping', then run the same command again.");
    expect(existsSync(join(project.folder, 'node_modules/typescript/package.json'))).toBe(true);
    // `npm ci` would delete node_modules before it tries.
    expect(project.started()).toEqual([expect.stringMatching(/^npm install --no-save /)]);
  });

  test('no npm at all: the same', async () => {
    project.remove('node_modules/cmake-js');
    const { status, stderr } = await project.setup();
    expect(status).toBe(1);
    expect(stderr).toMatch(/could not install them: cmake-js\.[\s\S]*npm: .*ENOENT/);
  });

  test("a missing one is installed, developers' tools included whatever NODE_ENV says", async () => {
    project.addProgram('npm', `echo '{"version":"8.0.0"}' > node_modules/cmake-js/package.json`);
    project.installPackage('cmake-js', '7.0.0');
    expect(await project.setup({ env: { NODE_ENV: 'production' } })).toMatchObject({ status: 0, stdout: '' });
    expect(project.started()).toEqual([expect.stringContaining('--include=dev')]);
  });

  test.skipIf(!probe.which('npm'))('the real npm, out of reach of its registry, leaves what is there', async () => {
    project.remove('node_modules/cmake-js');
    const env = {
      PATH: process.env.PATH,
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_fetch_retries: '0',
      npm_config_cache: join(project.folder, 'npm-cache'),
    };
    const { status, stderr } = await project.setup({ env });
    expect(status).toBe(1);
    expect(stderr).toMatch(/ECONNREFUSED[\s\S]*could not install them: cmake-js\./);
    for (const name of ['typescript', 'node-gyp'])
      expect(existsSync(join(project.folder, 'node_modules', name, 'package.json'))).toBe(true);
  });

  test('an npm that ends well but leaves one missing is not believed', async () => {
    project.addProgram('npm');
    project.remove('node_modules/typescript');
    const { status, stderr } = await project.setup();
    expect(status).toBe(1);
    expect(stderr).toContain('could not install them: typescript.');
  });
});

describe('system packages', () => {
  const commands = (sudo: string) => [
    'Missing: a C++17 compiler, make, CMake. Install with one of these, then run the same command again:',
    `  Debian, Ubuntu:  ${sudo}apt-get update && ${sudo}apt-get install -y g++ make cmake`,
    `  Fedora, RHEL:    ${sudo}dnf install -y gcc-c++ make cmake`,
    '  macOS:           brew install gcc make cmake',
    '  conda:           conda install -c conda-forge gxx make cmake',
  ];
  const asked = `${commands(isRoot ? '' : 'sudo ').join('\n')}\n`;

  beforeEach(() => {
    project.remove('build/Release/residua.node');
  });

  test('may not install by RESIDUA_SETUP_INSTALL=0: exact commands, status 1, nothing started', async () => {
    project.addPrograms('npm', 'apt-get');
    const ended = await project.setup({ env: { RESIDUA_SETUP_INSTALL: '0' } });
    expect(ended).toEqual({ status: 1, stdout: '', stderr: asked });
    expect(project.started()).toEqual([]);
  });

  test('no apt-get: the same', async () => {
    expect(await project.setup()).toEqual({ status: 1, stdout: '', stderr: asked });
  });

  test('not root: the same, with sudo', async ({ skip }) => {
    project.addPrograms('apt-get');
    const ended = await project.setup(isRoot ? { uid: 65534 } : {}).catch((error: NodeJS.ErrnoException) => error);
    if (ended instanceof Error) return skip(`node cannot be run as another user here: ${ended.message}`);
    expect(ended).toEqual({ status: 1, stdout: '', stderr: `${commands('sudo ').join('\n')}\n` });
    expect(project.started()).toEqual([]);
  });

  test('only what is missing is named', async () => {
    project.addPrograms('g++', 'make');
    const { status, stderr } = await project.setup();
    expect(status).toBe(1);
    expect(stderr).toContain('apt-get install -y cmake\n');
    expect(stderr).toContain('brew install cmake\n');
  });

  test.runIf(isRoot)('root with apt-get: installs what is missing, then builds', async () => {
    const appear = buildTools
      .map((name) => `echo '#!/bin/sh' > "$BIN/${name}"; /bin/chmod +x "$BIN/${name}"`)
      .join('\n');
    project.addProgram('apt-get', `if [ "$1" = install ]; then\n${appear}\nfi`);
    expect(await project.setup()).toMatchObject({ status: 0, stdout: '' });
    expect(project.started()).toEqual([
      'apt-get update -qq',
      'apt-get install -y -qq --no-install-recommends g++ make cmake',
      expect.stringMatching(/^cmake-js build/),
    ]);
  });

  test.runIf(isRoot)('root whose apt-get reaches nothing: exact commands, status 1', async () => {
    project.addProgram('apt-get', 'exit 100');
    const { status, stderr } = await project.setup();
    expect(status).toBe(1);
    expect(stderr).toBe(`[set-up] Installing a C++17 compiler, make, CMake (apt-get) ...\n${asked}`);
  });

  test.runIf(isRoot)('root whose apt-get reaches nothing, with all that node-gyp needs: builds with that', async () => {
    project.addPrograms('c++', 'make', 'python3');
    project.addProgram('apt-get', 'exit 100');
    expect(await project.setup()).toMatchObject({ status: 0, stdout: '' });
    expect(project.started().at(-1)).toMatch(/^node-gyp rebuild/);
  });
});

test.each(['18.20.4', '20.16.9'])('Node %s is refused with the version that is needed', async (version) => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const ended = await project.setup({ nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`] });
  const stderr = `residua needs Node 20.17 or later, this is ${version}.\n`;
  expect(ended).toEqual({ status: 1, stdout: '', stderr });
});
