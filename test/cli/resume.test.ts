// residua train: stopped at any step and resumed to the same bits; losses that go wrong.
import { type ChildProcess, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cpu } from '../../lib/index.js';
import { supports } from '../helpers/devices.js';
import { writePhotos } from './photo-folder.js';
import { type CliOptions, type Ended, residuaOnTerminal, residua as runCli } from './run-cli.js';
import { screenOf } from './terminal-screen.js';
import { stepsMade, tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-resume-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const residua = (args: string[], options: CliOptions = {}): Promise<Ended> =>
  runCli(args, { ...options, env: tinyEnv });
const historyOf = (run: string) => JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
const weightsOf = (run: string): Buffer => readFileSync(join(run, 'weights.safetensors'));

/** Runs the command; `then` acts on it meanwhile. */
async function runAnd(args: readonly string[], then: (child: ChildProcess) => Promise<void>): Promise<Ended> {
  let acted: Promise<void> | undefined;
  const ended = await residua([...args], {
    onStart: (child) => {
      acted = then(child);
    },
  });
  await acted;
  return ended;
}

const everything = ['--average-decay', '0.9', '--mixup', '0.2', '--accumulate', '2'];
const half = supports(cpu(), 'bfloat16') ? 'bfloat16' : 'float32';

describe.each([
  ['float32', []],
  [half, everything],
])('in %s', (precision, more) => {
  test('a run that is interrupted and resumed ends with the bytes of an unbroken one', async () => {
    const args = [...tinyRun, '--precision', precision, ...more];
    const [whole, broken] = [
      join(folder, `whole-${precision}-${more.length}`),
      join(folder, `broken-${precision}-${more.length}`),
    ];
    expect(await residua([...args, '--out', whole])).toMatchObject({ status: 0 });
    const lastStep = historyOf(whole).epochs[1].step as number;
    const stopAt = 1 + Math.floor(Math.random() * (lastStep - 8));

    const { status, stderr } = await runAnd([...args, '--out', broken], async (child) => {
      await stepsMade(broken, stopAt);
      child.kill('SIGINT');
    });
    expect({ status, stderr }, `at step ${stopAt}`).toMatchObject({ status: 130 });
    expect(historyOf(broken)).toMatchObject({ interrupted: true });
    expect(existsSync(join(broken, 'report.html'))).toBe(false);
    const told = /Interrupted\. .*To go on:\n {2}node (.*) train --resume (\S+)\n/s.exec(stderr);
    expect(told?.[2]).toBe(broken);
    const seen = /To see what was done so far, as report\.html:\n {2}node (\S+) (report) (\S+)\n$/.exec(stderr);
    const report = await residua((seen as string[]).slice(2));
    expect(report).toEqual({ status: 0, stdout: `${join(broken, 'report.html')}\n`, stderr: '' });
    expect(readFileSync(join(broken, 'report.html'), 'utf8')).toMatch(/Interrupted after [01] epochs? of 2/);
    rmSync(join(broken, 'report.html'));

    const resumed = await residua(['train', '--resume', broken]);
    expect(resumed).toMatchObject({ status: 0 });
    expect(weightsOf(broken).equals(weightsOf(whole)), `at step ${stopAt}`).toBe(true);
    const timeless = ({ epochs }: { epochs: { seconds: number }[] }) => epochs.map(({ seconds, ...rest }) => rest);
    expect(timeless(historyOf(broken))).toEqual(timeless(historyOf(whole)));
    expect(historyOf(broken)).toMatchObject({ interrupted: false });
    expect(existsSync(join(broken, 'report.html'))).toBe(true);
    const steps = readFileSync(join(broken, 'metrics.jsonl'), 'utf8').match(/"event":"step"/g);
    expect(steps).toHaveLength(lastStep);
  });
});

describe('--resume', () => {
  test('a run that early stopping ended trains no more, and says so, until it is asked to', async () => {
    const run = join(folder, 'stopped');
    const stopping = ['--epochs', '9', '--early-stopping', '1', '--lr', '1e-9', '--momentum', '0']; // no epoch gets better
    expect(await residua([...tinyRun, ...stopping, '--out', run])).toMatchObject({ status: 0 });
    const { stopped, epochs } = historyOf(run);
    expect(stopped).toContain('did not improve for 1 epoch');
    const again = await residua(['train', '--resume', run]);
    expect(again).toMatchObject({ status: 0, stdout: 'training on cpu\n' });
    expect(again.stderr).toContain(`This run had ended by early stopping after epoch ${epochs.length} (`);
    expect(historyOf(run)).toMatchObject({ stopped, epochs, interrupted: false });
    expect(await residua(['train', '--resume', run, '--epochs', '3', '--early-stopping', 'none'])).toMatchObject({
      status: 0,
    });
    expect(historyOf(run)).toMatchObject({ stopped: null, epochs: { length: 3 }, config: { earlyStopping: null } });
    const whole = await residua(['train', '--resume', run]);
    expect(whole.stderr).toContain('All 3 epochs of this run are trained: nothing more is trained.');
  });

  test('is refused while another process trains in the folder, which goes on untouched', async () => {
    const run = join(folder, 'shared');
    const first = await runAnd([...tinyRun, '--limit', '4096', '--out', run], async (child) => {
      await stepsMade(run, 5);
      const second = await residua(['train', '--resume', run]);
      expect(second).toMatchObject({ status: 1, stdout: '' });
      expect(second.stderr).toMatch(/^error: \S+shared: expected a folder in which no other process trains, [^\n]+\n$/);
      child.kill('SIGINT');
    });
    expect(first).toMatchObject({ status: 130 });
    expect(await residua(['train', '--resume', run])).toMatchObject({ status: 0 });
  });

  test('is refused where the data have changed', async () => {
    const [photos, run] = [join(folder, 'photos'), join(folder, 'of-photos')];
    await writePhotos(photos, 40);
    const how = tinyRun.map((word) => (word === 'synthetic' ? `folder:${photos}` : word));
    expect(await residua([...how, '--epochs', '1', '--limit', 'none', '--workers', '0', '--out', run])).toMatchObject({
      status: 0,
    });
    const resumed = () => residua(['train', '--resume', run, '--epochs', '2']);
    cpSync(join(photos, 'animals/cat/000.jpg'), join(photos, 'animals/cat/more.jpg'));
    cpSync(join(photos, 'animals/cat/000.jpg'), join(photos, 'animals/cat/more2.jpg'));
    const more = await resumed();
    expect(more).toMatchObject({ status: 1, stdout: '' });
    expect(more.stderr).toMatch(
      /^error: fit\(\) expected as many training images as the checkpoint tells of, 32, got \d+: [^\n]+\n$/,
    );
    cpSync(join(photos, 'animals/cat'), join(photos, 'animals/cow'), { recursive: true });
    rmSync(join(photos, 'animals/cat'), { recursive: true });
    const renamed = await resumed();
    expect(renamed).toMatchObject({ status: 1, stdout: '' });
    expect(renamed.stderr).toMatch(
      /^error: \S+photos: expected the classes of the run that goes on \(animals\/cat, [^\n]+ found animals\/cow, [^\n]+\n$/,
    );
  });

  test.each([
    ['no folder', () => join(folder, 'nowhere')],
    ['no run in it', () => folder],
  ])('%s: one line', async (_, run) => {
    const { status, stdout, stderr } = await residua(['train', '--resume', run()]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .*expected the folder of a run of residua train, with its config\.json[^\n]*\n$/);
  });

  test('a config.json that was damaged is refused with its line', async () => {
    const run = mkdtempSync(join(folder, 'damaged-'));
    writeFileSync(join(run, 'config.json'), '{\n  "epoks": 3\n}\n');
    const { status, stderr } = await residua(['train', '--resume', run]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/config\.json:2:3: .*epoks.*epochs/);
  });
});

/** A step takes more than a second, on fast processors too: 700 billion operations. */
const slowNet = ['--data', 'synthetic', '--size', '224', '--model', 'resnet18'];
const slow = ['train', '--no-tune', '--no-tensorboard', ...slowNet, '--batch-size', '64', '--limit', '256'];
/** Within npm two presses soon after each other are taken for one. */
const outsideOfNpm = { npm_lifecycle_event: undefined };

test.skipIf(spawnSync('script', ['--version']).error)(
  'a second Ctrl-C leaves at once, in the middle of a step, and leaves the terminal as it was',
  async () => {
    const words: string[] = [];
    const { status, stdout } = await residuaOnTerminal([...slow, '--out', join(folder, 'terminal')], {
      env: outsideOfNpm,
      input: () => {}, // left open
      onStdout: (text, { stdin }) => {
        const awaited = ['epoch 1/', 'once more'][words.length]; // the bar, then the answer to the first
        if (awaited === undefined || !text.includes(awaited)) return;
        words.push(awaited);
        setTimeout(() => stdin?.write('\x03'), 100); // a step takes much longer
      },
    });
    expect({ status, stdout }).toMatchObject({ status: 130 });
    const modes = stdout.match(/\[\?\d+[hl]/g) ?? [];
    expect(modes.at(-1)).toBe('[?7h'); // lines are wrapped again
    expect(modes).not.toContain('[?25l'); // the cursor was never hidden
    expect(stdout).not.toContain('Interrupted');
    const screen = screenOf(stdout.replaceAll('\r', ''));
    expect(screen.at(-4)).toBe('Stopping after this step; once more leaves at once.');
    expect(screen.at(-3)).toMatch(/^Left at once\. /);
    expect(screen.at(-2)).toMatch(/^ {2}node .* train --resume \S+terminal$/);
    expect(screen.at(-1)).toBe('');
    expect(existsSync(join(folder, 'terminal', 'weights.safetensors'))).toBe(false);
  },
);

describe('a loss that is NaN', () => {
  const args = [...tinyRun, '--epochs', '1', '--lr', '1e30'];

  test('stops with epoch, step and layer, and a checkpoint of before', async () => {
    const run = join(folder, 'nan');
    const { status, stderr } = await residua([...args, '--out', run]);
    expect(status).toBe(1);
    const line = stderr.split('\n').find((text) => text.startsWith('error: '));
    expect(line).toMatch(/^error: The loss became (NaN|-?Infinity) in epoch 1, step \d+; first in layer '[\w.]+'\./);
    const [name] = readdirSync(join(run, 'checkpoints'));
    expect(line).toContain(`The checkpoint of before is ${join(run, 'checkpoints', name as string)}.`);
    expect(historyOf(run)).toMatchObject({ interrupted: true, epochs: [] });
    const evaluated = await residua(['eval', run]);
    expect(evaluated).toMatchObject({ status: 1, stdout: '' });
    expect(evaluated.stderr).toMatch(
      /^error: \S+nan: expected weights\.safetensors, which a run writes when it ends [^\n]*\n$/,
    );
  });

  test('--on-nan skip goes on, and says what it leaves out, until there are too many', async () => {
    const { status, stderr } = await residua([...args, '--on-nan', 'skip', '--out', join(folder, 'skip')]);
    expect(status).toBe(1);
    expect(stderr.match(/the step is skipped\./g)).toHaveLength(9);
    expect(stderr).toContain('10 times in a row');
    const batches = Array.from(stderr.matchAll(/in epoch (\d+), batch (\d+), first/g), ([, , batch]) => Number(batch));
    expect(new Set(batches).size).toBe(9); // each tells another batch
    expect(stderr).not.toContain("onNan 'skip'"); // it was tried
  });

  test('--on-nan rollback without a checkpoint skips, and says why', async () => {
    const { status, stderr } = await residua([...args, '--on-nan', 'rollback', '--out', join(folder, 'rollback')]);
    expect(status).toBe(1);
    expect(stderr.match(/There is no checkpoint to roll back to yet\./g)).toHaveLength(9);
    expect(stderr.match(/the step is skipped\./g)).toHaveLength(9);
    expect(stderr).not.toContain('back to checkpoint');
  });
});
