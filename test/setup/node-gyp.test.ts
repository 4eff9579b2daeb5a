// binding.gyp gives a working CPU addon without CMake and without a network: built in a scratch copy, loaded, computed with.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
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

/**
 * Runs node-gyp. Any attempt at a download would fail, and leave a folder in its home. Nothing is optimised: that takes half of the
 * time, and what it makes of the code is tested in the usual build.
 */
function build(): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, nodeGyp.nodeGypArguments(folder), {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: join(folder, 'home'),
      npm_config_disturl: 'http://127.0.0.1:9',
      CXXFLAGS: '-O0',
    },
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
