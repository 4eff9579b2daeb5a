// residua train: killed at random moments (kill -9) and resumed, it ends with the weights of an unbroken run, bit for bit.
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { Random } from '../helpers/random.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua } from './run-cli.js';
import { stepsIn, tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 180_000 });

const folder = temporaryFolder();
const kills = 8;
/** RESIDUA_TEST_SEED repeats the moments of another run of this test, as far as a clock allows. */
const seed = Number(process.env.RESIDUA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

type Moment = { is: 'start' | 'step' | 'writing'; steps: number; milliseconds: number };

/** In turn after some steps, while a checkpoint is written, and while the process starts; the first one has trained. */
function moments(random: Random): Moment[] {
  return Array.from({ length: kills }, (_, i) => {
    const is = (['step', 'writing', 'start'] as const)[i % 3] as Moment['is'];
    const most = { step: 30, writing: 6, start: 900 }[is];
    return { is, steps: random.integer(1, 12), milliseconds: random.integer(0, most) };
  });
}

const writing = (run: string): string[] =>
  readdirSync(join(run, 'checkpoints')).filter((name) => name.startsWith('.writing-'));

async function killAt(child: ChildProcess, run: string, { is, steps, milliseconds }: Moment): Promise<void> {
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const before = stepsIn(run);
  if (is !== 'start') while (!isGone() && stepsIn(run) < before + steps) await sleep(1);
  if (is === 'writing') {
    const old = writing(run);
    while (!isGone() && writing(run).every((name) => old.includes(name))) await new Promise(setImmediate);
  }
  await sleep(milliseconds);
  child.kill('SIGKILL');
}

test(`${kills} kills at random moments, seed ${seed}`, async () => {
  console.log(`kill.test.ts: RESIDUA_TEST_SEED=${seed} repeats these moments`);
  const args = [...tinyRun, '--limit', '320'];
  const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
  expect(await residua([...args, '--out', whole], { env: tinyEnv })).toMatchObject({ status: 0 });

  let next = [...args, '--checkpoint-every', '1', '--out', broken];
  for (const moment of moments(new Random(seed))) {
    let killed: Promise<void> | undefined;
    const { status, stderr } = await residua(next, {
      env: tinyEnv,
      onStart: (child) => {
        killed = killAt(child, broken, moment);
      },
    });
    await killed;
    expect({ status, stderr }, `seed ${seed}, ${JSON.stringify(moment)}`).toEqual({ status: null, stderr: '' });
    next = ['train', '--resume', broken];
  }
  expect(await residua(next, { env: tinyEnv }), `seed ${seed}`).toMatchObject({ status: 0 });

  const bytes = (run: string): Buffer => readFileSync(join(run, 'weights.safetensors'));
  expect(bytes(broken).equals(bytes(whole)), `seed ${seed}`).toBe(true);
  const epochs = (run: string): unknown =>
    JSON.parse(readFileSync(join(run, 'history.json'), 'utf8')).epochs.map(
      ({ seconds, ...rest }: { seconds: number }) => rest,
    );
  expect(epochs(broken), `seed ${seed}`).toEqual(epochs(whole));
  expect(stepsIn(broken)).toBe(stepsIn(whole));
  expect(writing(broken)).toEqual([]);
});

test('killed while it removes an old checkpoint: half of that one is seen by nobody, and goes when the run goes on', async () => {
  const args = [...tinyRun, '--epochs', '1', '--keep-last', '1', '--checkpoint-every', '1'];
  const [whole, broken] = [join(folder, 'pruned'), join(folder, 'half-pruned')];
  expect(await residua([...args, '--out', whole], { env: tinyEnv })).toMatchObject({ status: 0 });
  const preload = join(folder, 'kill-in-rm.mjs');
  writeFileSync(
    preload,
    `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { rm } = fs.promises;
    fs.promises.rm = async (path, options) => {
      if (!path.includes('checkpoints')) return rm(path, options);
      await fs.promises.unlink(path + '/weights.safetensors');
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {});
    };
    syncBuiltinESMExports();`,
  );
  const killed = await residua([...args, '--out', broken], {
    env: { ...tinyEnv, NODE_OPTIONS: `--import ${preload}` },
  });
  expect(killed).toMatchObject({ status: null });
  expect(readdirSync(join(broken, 'checkpoints')).sort()).toEqual([
    '.writing-step-000000001-removed',
    'step-000000002',
  ]);

  const { status, stderr } = await residua(['train', '--resume', broken], { env: tinyEnv });
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.not.stringContaining('damaged') });
  expect(writing(broken)).toEqual([]);
  const bytes = (run: string): Buffer => readFileSync(join(run, 'weights.safetensors'));
  expect(bytes(broken).equals(bytes(whole))).toBe(true);
});
