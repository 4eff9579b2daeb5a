// residua train --resume: what may change of a run that goes on, and what is said of the rest.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { writePhotos } from './photo-folder.js';
import { type Ended, residua as runCli } from './run-cli.js';
import { tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-resumption-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const residua = (args: string[]): Promise<Ended> => runCli(args, { env: tinyEnv });
const jsonIn = (run: string, name: string) => JSON.parse(readFileSync(join(run, name), 'utf8'));

describe('--resume', () => {
  test('more epochs go on; frozen parameters stay so', async () => {
    const run = join(folder, 'longer');
    const frozen = ['--freeze', 'fc', '--lr-mult', 'conv1=0.5'];
    expect(await residua([...tinyRun, '--epochs', '1', ...frozen, '--out', run])).toMatchObject({ status: 0 });
    const { status, stdout, stderr } = await residua(['train', '--resume', run, '--epochs', '2']);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^training on cpu\nepoch 2, loss/);
    expect(stderr).toMatch(/Frozen: 2 parameters\./);
    expect(jsonIn(run, 'history.json')).toMatchObject({ config: { epochs: 2 }, epochs: [{ epoch: 1 }, { epoch: 2 }] });
    expect(jsonIn(run, 'config.json')).toEqual(jsonIn(run, 'history.json').config);
  });

  test.each([
    [['--lr', '0.1', '--no-flip'], 'goes on with the run as it was: --no-flip, --lr would make another one of it.'],
    [['--lr', '0.1'], '--weights RUN/weights.safetensors in place of --resume'],
    [
      ['--freeze', 'fc'],
      '--freeze would make another one of it. What may change: --epochs, --early-stopping, --on-nan, ',
    ],
    [['--out', 'elsewhere'], '--out cannot be given with --resume: the run goes on in its own folder, RUN.'],
    [
      ['--data', 'mnist'],
      '--data may tell a run that goes on where its folder of images is now: expected synthetic, or none, got',
    ],
    [['--on-nan', 'skipp'], "Did you mean 'skip'?"],
  ])('%j: refused, with the reason', async (options, words) => {
    const run = mkdtempSync(join(folder, 'begun-'));
    writeFileSync(join(run, 'config.json'), '{ "data": "synthetic" }');
    const { status, stdout, stderr } = await residua(['train', '--resume', run, ...options]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(words.replace('RUN', run));
    expect(stderr).toMatch(/^error: /);
    expect(readdirSync(run)).toEqual(['config.json']);
  });

  test('a recipe beside it is refused', async () => {
    const { status, stderr } = await residua(['train', 'chapter', '--resume', folder]);
    expect(status).toBe(2);
    expect(stderr).toContain(
      `'chapter' cannot be given with --resume: the run has its config in its folder (${folder}`,
    );
  });

  test('what is done about losses, what is kept and logged may change, and stays so', async () => {
    const run = join(folder, 'kept');
    expect(await residua([...tinyRun, '--schedule', 'cosine', '--epochs', '1', '--out', run])).toMatchObject({
      status: 0,
    });
    const more = ['--epochs', '3', '--on-nan', 'rollback', '--keep-last', '1', '--checkpoint-every', '7'];
    const machine = ['--workers', '1', '--on-broken', 'skip', '--tensorboard'];
    const { status, stderr } = await residua(['train', '--resume', run, ...more, ...machine]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toContain("The schedule 'cosine' is now over 3 epochs in place of 1: ");
    const config = jsonIn(run, 'config.json');
    expect(config).toMatchObject({ epochs: 3, onNan: 'rollback', tensorboard: true });
    expect(config).toMatchObject({
      checkpoint: { keepLast: 1, everySteps: 7 },
      data: { workers: 1, onBroken: 'skip' },
    });
    expect(jsonIn(run, 'history.json')).toMatchObject({ config, epochs: { length: 3 } });
    expect(readdirSync(join(run, 'tensorboard'))).toHaveLength(1);
    expect(readdirSync(join(run, 'checkpoints')).length).toBeLessThan(3); // the last and the best
  });

  test('a run that a loss of NaN stopped goes on with what the error says', async () => {
    const run = join(folder, 'nan');
    const stopped = await residua([...tinyRun, '--epochs', '1', '--lr', '1e30', '--out', run]);
    expect(stopped).toMatchObject({ status: 1 });
    const told = /To go on from it without such steps: node \S+ (train --resume \S+ --on-nan skip)\n$/.exec(
      stopped.stderr,
    );
    const { status, stderr } = await residua(told?.[1]?.split(' ') ?? []);
    expect(status).toBe(1);
    expect(stderr.match(/the step is skipped\./g)).toHaveLength(9); // the tenth ends it
    expect(stderr).not.toContain('To go on from it'); // it was tried
    const back = await residua(['train', '--resume', run, '--on-nan', 'rollback']);
    expect(back).toMatchObject({ status: 1 });
    expect(back.stderr).toContain(': back to checkpoint ');
    expect(jsonIn(run, 'config.json')).toMatchObject({ onNan: 'rollback' });
  });

  test('a folder of images that was moved is told with --data', async () => {
    const [photos, moved, run] = [join(folder, 'photos'), join(folder, 'moved'), join(folder, 'of-photos')];
    await writePhotos(photos, 40);
    const how = tinyRun.map((word) => (word === 'synthetic' ? `folder:${photos}` : word));
    const all = ['--epochs', '1', '--limit', 'none', '--workers', '0', '--out', run];
    expect(await residua([...how, ...all])).toMatchObject({ status: 0 });
    renameSync(photos, moved);
    const gone = await residua(['train', '--resume', run, '--epochs', '2']);
    expect(gone).toMatchObject({ status: 1 });
    expect(gone.stderr).toContain(photos);
    const found = await residua(['train', '--resume', run, '--epochs', '2', '--data', `folder:${moved}`]);
    expect(found).toMatchObject({ status: 0 });
    expect(jsonIn(run, 'history.json')).toMatchObject({
      config: { data: { name: `folder:${moved}` } },
      epochs: { length: 2 },
    });
  });

  test('--dry-run tells what is left, and changes nothing', async () => {
    const run = join(folder, 'dry');
    expect(await residua([...tinyRun, '--epochs', '1', '--out', run])).toMatchObject({ status: 0 });
    const before = readFileSync(join(run, 'config.json'), 'utf8');
    const { status, stdout } = await residua(['train', '--resume', run, '--epochs', '4', '--dry-run']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/estimated time +\S.* for the 3 left of 4 epochs of /);
    expect(readFileSync(join(run, 'config.json'), 'utf8')).toBe(before);
  });

  test('epochs that the run cannot have are refused, and its files stay as they were', async () => {
    const run = join(folder, 'short');
    expect(await residua([...tinyRun, '--warmup', '1', '--out', run])).toMatchObject({ status: 0 });
    const files = ['config.json', 'history.json', 'metrics.jsonl'].map((name) => join(run, name));
    const before = files.map((file) => readFileSync(file, 'utf8'));
    const warmup = await residua(['train', '--resume', run, '--epochs', '1']);
    expect(warmup).toMatchObject({ status: 1, stdout: '' });
    expect(warmup.stderr).toMatch(
      /^error: --epochs: expected at least 2, for the run began with 1 epoch\(s\) of warm-up \([^\n]*\), which cannot change any more; got 1\.\n$/,
    );
    const config = files[0] as string;
    writeFileSync(config, (before[0] as string).replace('"warmup": 1', '"warmup": 0'));
    const fewer = await residua(['train', '--resume', run, '--epochs', '1']);
    expect(fewer).toMatchObject({ status: 1, stdout: '' });
    expect(fewer.stderr).toMatch(
      /^error: --epochs: expected at least 2, for \S+short has trained 2 epochs, which cannot be taken back; got 1\. [^\n]+\n$/,
    );
    writeFileSync(config, before[0] as string);
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before);
  });
});
