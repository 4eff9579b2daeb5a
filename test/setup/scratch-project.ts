// A small project with this package's own set-up scripts, and stand-ins for every program that they start: each writes
// its name and arguments into a log, and leaves behind what the real one would.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Ended, root } from '../cli/run-cli.js';

const addon = 'build/Release/residua.node';
const emulation = 'build/Release/libresidua_cuda_emulation.so';
const library = 'dist/index.js';
/** The packages of the scratch project: versions in its lock file, the program that is run and what that makes. */
const packages = {
  'cmake-js': { version: '8.0.0', program: 'bin/cmake-js', makes: addon },
  'node-gyp': { version: '12.0.0', program: 'bin/node-gyp.js', makes: addon },
  typescript: { version: '5.9.3', program: 'bin/tsc', makes: library },
  vitest: { version: '4.1.12', program: 'vitest.mjs', makes: 'vitest-was-run' },
};
const dependencies = Object.fromEntries(Object.entries(packages).map(([name, { version }]) => [name, version]));
const sources = ['native/addon.cc', 'CMakeLists.txt', 'binding.gyp', 'lib/index.ts', 'tsconfig.json'];
const dataFiles = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];

interface RunOptions {
  args?: string[];
  env?: NodeJS.ProcessEnv;
  nodeArgs?: string[];
  /** The user to run as. */
  uid?: number;
}

export class ScratchProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'residua-setup-'));
  readonly #bin = join(this.folder, 'bin');
  readonly #log = join(this.folder, 'log');

  /** Everything is there and up to date; no program is on PATH. */
  constructor() {
    cpSync(join(root, 'scripts'), join(this.folder, 'scripts'), { recursive: true });
    for (const source of sources) this.write(source, '');
    for (const built of [addon, library]) this.write(built, '');
    for (const source of sources) this.touch(source, -3600);
    for (const name of dataFiles) this.write(`data/${name}-ubyte.gz`, '');
    this.write('onednn/include/dnnl.hpp', '');
    this.write('package.json', JSON.stringify({ name: 'scratch', type: 'module', dependencies }));
    this.write('package-lock.json', lockFile());
    this.write('log', '');
    mkdirSync(this.#bin);
    for (const name of Object.keys(packages)) this.installPackage(name as keyof typeof packages);
  }

  /** Puts one package of the lock file into node_modules/. Its program is a stand-in. */
  installPackage(name: keyof typeof packages, version = packages[name].version): void {
    const { program, makes } = packages[name];
    this.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version }));
    this.write(
      `node_modules/${name}/${program}`,
      `import('node:fs').then(({ appendFileSync, mkdirSync, writeFileSync }) => {
         const args = process.argv.slice(2);
         const device = '${name}' === 'vitest' ? [\`[gpu(0): \${process.env.RESIDUA_CUDA_LIBRARY}]\`] : [];
         appendFileSync(${JSON.stringify(this.#log)}, ['${name}', ...args, ...device].join(' ') + '\\n');
         mkdirSync('build/Release', { recursive: true });
         writeFileSync(args.includes('--target') ? '${emulation}' : '${makes}', 'built');
       });`,
    );
  }

  /** Puts programs on PATH that do nothing but write into the log. */
  addPrograms(...names: string[]): void {
    for (const name of names) this.addProgram(name);
  }

  /** Puts a program on PATH that writes into the log, then runs `script` (sh; $BIN: the folder of the programs). */
  addProgram(name: string, script = ''): void {
    const file = join(this.#bin, name);
    writeFileSync(file, `#!/bin/sh\nBIN='${this.#bin}'\necho "${name} $*" >> '${this.#log}'\n${script}\n`);
    chmodSync(file, 0o755);
  }

  /** Sets when a file was last changed, in seconds from now. */
  touch(file: string, seconds: number): void {
    const time = Date.now() / 1000 + seconds;
    utimesSync(join(this.folder, file), time, time);
  }

  remove(file: string): void {
    rmSync(join(this.folder, file), { recursive: true });
  }

  /** Runs the set-up. */
  setup(options?: RunOptions): Promise<Ended> {
    return this.#run('setup.mjs', options);
  }

  /** Runs what `npm test` runs. */
  npmTest(options?: RunOptions): Promise<Ended> {
    return this.#run('test.mjs', options);
  }

  /** Runs a script with nothing on PATH but this project's programs, and no variables but those given. */
  #run(script: string, { args = [], env = {}, nodeArgs = [], uid }: RunOptions = {}): Promise<Ended> {
    if (uid !== undefined) execFileSync('chmod', ['-R', 'a+rX', this.folder]); // whatever the umask
    const child = spawn(process.execPath, [...nodeArgs, join(this.folder, 'scripts', script), ...args], {
      cwd: this.folder,
      env: {
        PATH: this.#bin,
        HOME: this.folder,
        RESIDUA_DATA: join(this.folder, 'data'),
        DNNL_ROOT: join(this.folder, 'onednn'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      uid,
    });
    const ended: Ended = { status: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      ended.stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      ended.stderr += chunk;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject).on('close', (status) => resolve({ ...ended, status }));
    });
  }

  /** What was started since the last call, a line each. */
  started(): string[] {
    const lines = readFileSync(this.#log, 'utf8').split('\n').filter(Boolean);
    writeFileSync(this.#log, '');
    return lines;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes a file, with the folders above it. */
  write(file: string, contents: string): void {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
}

function lockFile(): string {
  const installed = Object.entries(dependencies).map(
    ([name, version]) => [`node_modules/${name}`, { version }] as const,
  );
  return JSON.stringify({
    name: 'scratch',
    lockfileVersion: 3,
    packages: {
      '': { name: 'scratch', dependencies },
      ...Object.fromEntries(installed),
      'node_modules/for-another-system': { version: '1.0.0', optional: true },
    },
  });
}
