// binding.gyp gives a working CPU addon without CMake and without a network: built in a scratch copy, loaded, computed with.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, runNode } from '../cli/run-cli.js';
import { compiledLibrary } from '../helpers/dist.js';
import { nodeGyp, probe } from './setup-modules.js';

const needed = { python3: probe.which('python3'), make: probe.which('make'), 'g++': probe.which('g++') };
const missing = Object.entries(needed).flatMap(([name, file]) => (file ? [] : [name]));
const buildTime = 900_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-gyp-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What most sources include, and parsing takes longest. */
const headers = ['binding/args.h', 'core/op_table.h', 'core/shape_infer.h', 'cpu/primitive_plan.h'];

/** Runs a tool of the build. Any attempt at a download would fail, and leave a folder in its home. */
function run(program: string, args: string[], CXXFLAGS: string): Promise<{ status: number | null; output: string }> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: join(folder, 'home'), npm_config_disturl: 'http://127.0.0.1:9', CXXFLAGS },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status) => resolve({ status, output }));
  });
}

/**
 * `node-gyp rebuild`. Nothing is optimised, and common headers are compiled once: that takes a third of the time. What optimisation
 * makes of the code, and that each source includes what it needs, is seen in the usual build.
 */
async function build() {
  const common = join(folder, 'common.h');
  writeFileSync(common, headers.map((header) => `#include "${header}"\n`).join(''));
  const command = await compileCommand();
  const precompile = command
    .replace(/ -o \S+ \S+\.cc /, ` -o ${common}.gch -x c++-header ${common} `)
    .replace(/ -MMD -MF \S+/, '');
  const { status, output } = await run('sh', ['-c', `cd build && ${precompile}`], '');
  if (status !== 0) return { status, output };
  return run(process.execPath, nodeGyp.nodeGypArguments(folder), `-O0 -include ${common}`);
}

/** How node-gyp's makefile compiles a source without optimisation: a precompiled header is used where its flags are the same. */
async function compileCommand(): Promise<string> {
  const [nodeGypFile, , ...options] = nodeGyp.nodeGypArguments(folder) as [string, 'rebuild', ...string[]];
  await run(process.execPath, [nodeGypFile, 'configure', ...options], '-O0');
  const { output } = await run('make', ['-n', '-C', 'build', 'BUILDTYPE=Release'], '-O0');
  const lines = output.split('\n').map((line) => line.trim());
  return lines.find((line) => / -o \S+ \S+addon\.cc /.test(line) && !line.startsWith('printf')) ?? output;
}

const program = `
  const { conv2d } = (await import(process.argv[1])).ops;
  const { ones, tensor, devices } = await import(process.argv[1]);
  const image = tensor([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]);
  const sums = conv2d(image, ones([1, 1, 2, 2]));
  console.log(JSON.stringify({ sums: [...(await sums.data())], cpu: devices().find(({ name }) => name === 'cpu') }));
`;

test.skipIf(missing.length > 0)(
  `the addon of node-gyp computes${missing.length > 0 ? ` (skipped: no ${missing.join(', ')})` : ''}`,
  async () => {
    for (const name of ['native', 'scripts', 'binding.gyp', 'package.json'])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));

    const { status, output } = await build();
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
    expect(output).not.toMatch(/warning:/i);
    expect(existsSync(join(folder, 'home'))).toBe(false);

    const library = pathToFileURL(compiledLibrary()).href;
    const addon = join(folder, 'build', 'Release', 'residua.node');
    const ended = await runNode(['--input-type=module', '--eval', program, library], {
      cwd: folder,
      env: { RESIDUA_ADDON: addon },
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toMatchObject({ sums: [12, 16, 24, 28], cpu: { available: true } });
  },
  buildTime,
);
