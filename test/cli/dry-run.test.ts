// residua train --dry-run: the config, the net, the estimates; no file.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { resolveConfig } from '../../lib/config/index.js';
import { residua } from './run-cli.js';
import { tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-dry-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('prints what the run would be and writes nothing', async () => {
  const args = [...tinyRun, '--epochs', '3', '--accumulate', '2', '--dry-run'];
  const { status, stdout, stderr } = await residua(args, { cwd: folder, env: tinyEnv });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(readdirSync(folder)).toEqual([]);
  const [yaml, table, facts] = stdout.split(/\n(?=layer|training images)/i) as [string, string, string];
  expect(resolveConfig(parse(yaml))).toMatchObject({ model: 'resnet', epochs: 3, data: { name: 'synthetic' } });
  expect(table).toContain('Trainable parameters: ');
  expect(facts).toMatch(/^training images +128$/m);
  expect(facts).toMatch(/^validation images +32$/m);
  expect(facts).toMatch(/^steps per epoch +16$/m); // 32 batches, two a step
  expect(facts).toMatch(/^speed +[\d,]+ images\/s on cpu$/m);
  expect(facts).toMatch(/^estimated time +\d.* for 3 epochs of \d/m);
  expect(facts).toMatch(/^memory of the data +36\.0 KiB$/m); // 160 images of 3x8x8 bytes, 32 of them once more
});

test('the memory that it tells is what a run takes, within a third', async () => {
  const args = ['train', '--data', 'synthetic', '--model', 'resnet18', '--size', '32', '--limit', '32', '--no-tune'];
  const how = [...args, '--batch-size', '16', '--epochs', '1'];
  const dry = await residua([...how, '--dry-run'], { cwd: folder, env: tinyEnv });
  const told = Number(/^memory of the process +([\d.]+) MiB at most$/m.exec(dry.stdout)?.[1]);
  const real = await residua([...how, '--out', 'run'], { cwd: folder, env: tinyEnv });
  expect(real).toMatchObject({ status: 0 });
  const { peakMemory } = JSON.parse(readFileSync(join(folder, 'run', 'history.json'), 'utf8'));
  const ratio = peakMemory / 2 ** 20 / told;
  expect(ratio).toBeGreaterThan(0.75);
  expect(ratio).toBeLessThan(4 / 3);
});
