// residua train: Ctrl-C before training begins, and after it has ended: what is said, and what is there afterwards.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { RunRecord } from '../../lib/cli/run-record.js';
import { RunLines } from '../../lib/cli/train/run-lines.js';
import { cpu } from '../../lib/device.js';
import type { FitBatch, FitEpoch } from '../../lib/train/index.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { type Ended, residua } from './run-cli.js';
import { tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000 });

const folder = temporaryFolder();

/** Runs the command; it presses Ctrl-C itself as soon as its event loop turns and `condition`, in JavaScript, is true. */
function pressedWhen(condition: string, args: readonly string[]): Promise<Ended> {
  const file = join(folder, 'press.mjs');
  writeFileSync(
    file,
    `import { existsSync } from 'node:fs';
    const look = () => {
      if (process.listenerCount('SIGINT') > 0 && ${condition}) process.kill(process.pid, 'SIGINT');
      else setImmediate(look).unref();
    };
    setImmediate(look);`,
  );
  return residua([...args], { env: { ...tinyEnv, NODE_OPTIONS: `--import ${file}` } });
}

const contentsOf = (run: string): [string, string][] =>
  ['config.json', 'history.json', 'metrics.jsonl'].map((name) => [name, readFileSync(join(run, name), 'utf8')]);

test('while data are prepared: nothing is left, nothing is to be resumed', async () => {
  const run = join(folder, 'new');
  const ended = await pressedWhen('true', [...tinyRun, '--limit', '20000', '--out', run]);
  expect(ended).toEqual({
    status: 130,
    stdout: '',
    stderr: 'Interrupted before training began: no run was made, and nothing is to be resumed.\n',
  });
  expect(existsSync(run)).toBe(false);
});

test('before a run goes on: it is as it was', async () => {
  const run = join(folder, 'going-on');
  expect(await residua([...tinyRun, '--epochs', '1', '--out', run], { env: tinyEnv })).toMatchObject({ status: 0 });
  const before = contentsOf(run);
  const ended = await pressedWhen('true', ['train', '--resume', run, '--epochs', '2']);
  expect(ended).toMatchObject({ status: 130, stdout: '' });
  expect(ended.stderr).toMatch(
    /^Interrupted before training went on: the run is as it was\. To go on:\n {2}node .* train --resume \S+going-on\n$/,
  );
  expect(contentsOf(run)).toEqual(before);
  expect(await residua(['train', '--resume', run, '--epochs', '2'], { env: tinyEnv })).toMatchObject({ status: 0 });
});

test('while the report is made: what stays, and how to write the rest', async () => {
  const run = join(folder, 'finishing');
  const ended = await pressedWhen(`existsSync('${join(run, 'weights.safetensors')}')`, [...tinyRun, '--out', run]);
  expect(ended).toMatchObject({ status: 130 });
  expect(ended.stderr).toMatch(
    /^Left at once: training has ended, what it leads to is not all written\. \S+ has checkpoints and history\. To write the rest:\n {2}node .* train --resume \S+finishing\n$/,
  );
  expect(JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'))).toMatchObject({
    interrupted: false,
    epochs: { length: 2 },
  });
  expect(existsSync(join(run, 'report.html'))).toBe(false);
  const weights = readFileSync(join(run, 'weights.safetensors'));
  const rest = await residua(['train', '--resume', run], { env: tinyEnv });
  expect(rest).toMatchObject({ status: 0 });
  expect(rest.stderr).toContain('All 2 epochs of this run are trained');
  expect(existsSync(join(run, 'report.html'))).toBe(true);
  expect(readFileSync(join(run, 'weights.safetensors')).equals(weights)).toBe(true);
});

test('what is waited for: the step, or the evaluation after the last one of an epoch', () => {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const record = { config: { model: 'resnet18', data: { name: 'synthetic' }, epochs: 2 }, testImages: 5 };
  const lines = new RunLines(record as RunRecord, cpu());
  const batch = { epoch: 1, batches: 2, images: 4, loss: 1, accuracy: 0, learningRate: 1 };
  lines.batchEnd({}, { ...batch, batch: 1 } as FitBatch);
  lines.stopping();
  lines.batchEnd({}, { ...batch, batch: 2 } as FitBatch);
  lines.stopping();
  lines.epochEnd({}, {
    epoch: 1,
    loss: 1,
    trainAccuracy: 0,
    validation: null,
    learningRate: 1,
    seconds: 1,
  } as FitEpoch);
  lines.stopping();
  vi.restoreAllMocks();
  expect(said.map((line) => /Stopping after this (\w+);/.exec(line)?.[1])).toEqual(['step', 'evaluation', 'step']);
});
