// residua report: the page that residua train wrote, byte for byte; without weights or data it says what it leaves out.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { earlierRecord, writeRun } from '../report/sample-run.js';
import { residua } from './run-cli.js';

const folder = temporaryFolder();
const run = join(folder, 'run');
const page = join(run, 'report.html');
let written: string;

beforeAll(async () => {
  const size = ['--limit', '32', '--epochs', '2', '--batch-size', '16'];
  const ended = await residua([
    'train',
    '--data',
    'synthetic',
    '--model',
    'cifar-resnet20',
    ...size,
    '--no-tune',
    '--out',
    run,
  ]);
  expect(ended).toMatchObject({ status: 0 });
  written = readFileSync(page, 'utf8');
});

test('writes the same page again', async () => {
  expect(written).toContain('id="mistakes"');
  rmSync(page);
  expect(await residua(['report', run])).toEqual({ status: 0, stdout: `${page}\n`, stderr: '' });
  expect(readFileSync(page, 'utf8')).toBe(written);
});

test('of an interrupted run, and without its weights', async () => {
  const history = join(run, 'history.json');
  const record = JSON.parse(readFileSync(history, 'utf8'));
  writeFileSync(history, JSON.stringify({ ...record, interrupted: true, config: { ...record.config, epochs: 9 } }));
  rmSync(join(run, 'weights.safetensors'));
  const { status, stderr } = await residua(['report', run]);
  expect(status).toBe(0);
  expect(stderr).toMatch(/^The pictures of the worst mistakes are left out\. \S+weights\.safetensors[^\n]+\n$/);
  const text = readFileSync(page, 'utf8');
  expect(text).toContain('Interrupted after 2 epochs of 9');
  expect(text).toContain('id="matrix"');
  expect(text).not.toContain('id="mistakes"');
});

test('a folder that is no run, and a run of an earlier version', async () => {
  const none = await residua(['report', folder]);
  expect(none).toMatchObject({ status: 1, stdout: '' });
  expect(none.stderr).toMatch(/^error: \S+: expected the folder of a run, found no history\.json in it\.[^\n]+\n$/);
  const earlier = await residua(['report', writeRun(join(folder, 'earlier'), earlierRecord())]);
  expect(earlier).toMatchObject({ status: 1, stdout: '' });
  expect(earlier.stderr).toMatch(/^error: \S+history\.json: expected the record of a run with 'epochs' and [^\n]+\n$/);
});
