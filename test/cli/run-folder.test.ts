// The folder of a run: made before the training, never over another run.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRunFolder, writeWhole } from '../../lib/cli/run-folder.js';
import { CheckpointError, ConfigError } from '../../lib/errors.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('makes the folder, parents included', () => {
  const run = makeRunFolder(join(folder, 'a', 'b'));
  expect(existsSync(run.path)).toBe(true);
  expect(run.weights).toBe(join(folder, 'a', 'b', 'weights.safetensors'));
});

test('refuses a place that cannot be written to', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeRunFolder(join(folder, 'file'))).toThrow(ConfigError);
  expect(() => makeRunFolder(join(folder, 'file', 'below'))).toThrow(/cannot be written to/);
  chmodSync(join(folder, 'file'), 0o777);
  expect(() => makeRunFolder(join(folder, 'file'))).toThrow(ConfigError);
  expect(() => makeRunFolder('/proc/residua')).toThrow(/cannot be written to/); // where it once looked for parents without end
});

test('refuses a folder that holds a run', () => {
  writeFileSync(join(folder, 'history.json'), '{}');
  expect(() => makeRunFolder(folder)).toThrow(/holds a run already/);
});

test('writes files whole, and leaves nothing beside them', () => {
  writeWhole(join(folder, 'x.json'), 'one');
  writeWhole(join(folder, 'x.json'), 'two');
  expect(readFileSync(join(folder, 'x.json'), 'utf8')).toBe('two');
  expect(readdirSync(folder)).toEqual(['x.json']);
});

test('a file that cannot be written is named, and nothing is left of it', () => {
  mkdirSync(join(folder, 'x.json', 'in the way'), { recursive: true });
  const write = (): void => writeWhole(join(folder, 'x.json'), 'one');
  expect(write).toThrow(CheckpointError);
  expect(write).toThrow(`${join(folder, 'x.json')}: cannot be written: `);
  expect(readdirSync(folder)).toEqual(['x.json']);
});
