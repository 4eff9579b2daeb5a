// fit: a resumed run continues to the same bits; damaged checkpoints; what is kept.
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DataLoader } from '../../lib/data/index.js';
import { cpu } from '../../lib/device.js';
import type { Precision } from '../../lib/precision.js';
import { seed } from '../../lib/tensor/random.js';
import { EarlyStopping, type FitHandler, type FitOptions, fit as fitNet } from '../../lib/train/index.js';
import { rejection } from '../data/idx-files.js';
import { supports } from '../helpers/devices.js';
import { bitsOf, fitProblem } from './fit-problem.js';
import { brightPixels } from './problems.js';

const device = cpu();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residua-fit-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Trains three epochs, or until a step; returns the history and the bits. */
async function run(
  options: Partial<FitOptions> & { stopAfter?: number; otherSeed?: number; optimizer?: 'sgd' | 'adamw' } = {},
) {
  const { stopAfter, otherSeed, optimizer, ...rest } = options;
  const { net, trainer, train, validation } = fitProblem(device, 6, optimizer);
  if (otherSeed !== undefined) seed(otherSeed); // the checkpoint's random state must count, not this one
  const ending = new AbortController();
  const stopper: FitHandler = { batchEnd: (_, { step }) => void (step === stopAfter && ending.abort()) };
  const handlers = [stopper, ...(rest.handlers ?? [])];
  const history = await fitNet(net, trainer, {
    train,
    validation,
    epochs: 3,
    device,
    signal: ending.signal,
    ...rest,
    handlers,
  });
  const epochs = history.epochs.map(({ seconds, ...values }) => values);
  return { history, epochs, bits: bitsOf(net), numUpdate: trainer.numUpdate };
}

describe('a resumed run', () => {
  const extras: [string, Parameters<typeof run>[0]][] = [
    ['plain', {}],
    ['AdamW', { optimizer: 'adamw' }],
    ['everything', { averageDecay: 0.9, mixup: { alpha: 0.4 }, labelSmoothing: 0.1, accumulate: 2 }],
    ['op by op', { capture: false }],
  ];
  const precisions = (['float32', 'bfloat16'] as Precision[]).filter((each) => supports(cpu(), each));
  describe.each(precisions)('in %s', (precision) => {
    test.each(extras)('ends with the bits of an unbroken one: %s', async (_, extra) => {
      const whole = await run({ epochs: 2, precision, ...extra });
      const steps = whole.numUpdate;
      for (const stopAfter of [2, Math.floor(steps / 2), Math.floor(steps * 0.7)]) {
        const checkpoint = { folder: join(folder, String(stopAfter)) };
        const first = await run({ epochs: 2, precision, ...extra, checkpoint, stopAfter });
        expect(first.history.aborted).toBe(true);
        expect(first.numUpdate).toBe(stopAfter);
        const second = await run({ epochs: 2, precision, ...extra, checkpoint, resume: true, otherSeed: 99 });
        expect(second.numUpdate).toBe(steps);
        expect(second.bits).toEqual(whole.bits);
        expect(second.epochs).toEqual(whole.epochs);
      }
    });
  });

  test('is another one with another random state: the comparison can fail', async () => {
    const whole = await run();
    const checkpoint = { folder };
    await run({ checkpoint, stopAfter: 5 });
    const [name] = await readdir(folder);
    const file = join(folder, name as string, 'state.json');
    const manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.state.random.stream += 1;
    await writeFile(file, JSON.stringify(manifest));
    expect((await run({ checkpoint, resume: true })).bits).not.toEqual(whole.bits);
  });

  test('is refused where the loader would give other batches', async () => {
    const checkpoint = { folder };
    await run({ checkpoint, stopAfter: 2 });
    const { net, trainer } = fitProblem(device);
    const train = new DataLoader(brightPixels(50), { batchSize: 8, shuffle: true, device, seed: 5 });
    const error = await rejection(fitNet(net, trainer, { train, epochs: 3, device, checkpoint, resume: true }));
    expect(error).toMatchObject({ code: 'CHECKPOINT_ERROR', details: { found: 5 } });
    expect(error.message).toContain('the same seed');
  });

  test('is refused where the loader has other images', async () => {
    const checkpoint = { folder };
    await run({ checkpoint, stopAfter: 2 });
    const { net, trainer } = fitProblem(device);
    const train = new DataLoader(brightPixels(51), { batchSize: 8, shuffle: true, device }); // as many batches
    const error = await rejection(fitNet(net, trainer, { train, epochs: 3, device, checkpoint, resume: true }));
    expect(error).toMatchObject({ code: 'CHECKPOINT_ERROR', details: { expected: 50, found: 51 } });
    expect(error.message).toContain('the data have changed');
  });

  test('begins at the beginning where there is no checkpoint, and refuses a used folder without resume', async () => {
    const whole = await run();
    const checkpoint = { folder };
    expect((await run({ checkpoint, resume: true })).bits).toEqual(whole.bits);
    expect(await rejection(run({ checkpoint }))).toMatchObject({ code: 'CHECKPOINT_ERROR' });
  });
});

describe('a run that was resumed at its end', () => {
  const stopping = (patience = 1): FitHandler[] => [new EarlyStopping({ patience, minDelta: 1 })]; // the first epoch is best
  const resumed = (options: Partial<FitOptions>) => run({ checkpoint: { folder }, resume: true, ...options });
  const trained = async (options: Partial<FitOptions>) => (await resumed(options)).epochs.length;

  test('trains no more where early stopping had ended it, unless epochs or patience are larger', async () => {
    const first = await run({ checkpoint: { folder }, epochs: 9, handlers: stopping() });
    expect(first.epochs).toHaveLength(2);
    const second = await resumed({ epochs: 9, handlers: stopping() });
    expect(second.history).toMatchObject({ stopped: 'validation accuracy did not improve for 1 epoch' });
    expect([second.epochs, second.bits, second.numUpdate]).toEqual([first.epochs, first.bits, first.numUpdate]);
    expect(await trained({ epochs: 8, handlers: stopping() })).toBe(2);
    expect(await trained({ epochs: 9, handlers: stopping(3) })).toBe(4); // it had waited for one
    expect(await trained({ epochs: 10, handlers: stopping(3) })).toBe(7); // with more epochs it waits anew
    expect(await trained({ epochs: 10 })).toBe(10);
  });

  test('has a handler that may serve another run, which begins anew', async () => {
    const handlers = stopping();
    for (const _ of [1, 2]) expect((await run({ handlers })).epochs).toHaveLength(2);
  });

  test('is refused with fewer epochs than it has begun', async () => {
    await run({ checkpoint: { folder, everySteps: 1 }, epochs: 2 });
    expect(await trained({ epochs: 2 })).toBe(2);
    const ended = await rejection(resumed({ epochs: 1 }));
    expect(ended).toMatchObject({ code: 'CONFIG_ERROR', details: { argument: 'epochs', expected: 2, found: 1 } });
    expect(ended.message).toContain('has trained 2 epochs, got 1');
    await rm(join(folder, 'step-000000014'), { recursive: true });
    const within = await rejection(resumed({ epochs: 1 }));
    expect(within.message).toMatch(/step-000000013 has trained 1 epochs? and a part of the next, got 1/);
  });
});

describe('checkpoints', () => {
  test('the last N and the best are kept', async () => {
    const checkpoint = { folder, everySteps: 2, keepLast: 2 };
    const { history } = await run({ checkpoint });
    const names = (await readdir(folder)).sort();
    const scores = history.epochs.map(({ validation }) => validation?.top1 as number);
    const best = history.epochs[scores.indexOf(Math.max(...scores))];
    const bestName = `step-${String(best?.step).padStart(9, '0')}`;
    expect(history.bestCheckpoint).toBe(join(folder, bestName));
    const last = ['step-000000020', 'step-000000021'];
    expect(names).toEqual([...new Set([bestName, ...last])].sort());
    expect(history.lastCheckpoint).toBe(join(folder, 'step-000000021'));
  });

  test.each(['weights.safetensors', 'trainer.safetensors', 'state.json'])(
    'a damaged %s is passed over, with a word, for the one before',
    async (file) => {
      const whole = await run();
      await run({ checkpoint: { folder, everySteps: 2 }, stopAfter: 5 });
      const newest = (await readdir(folder)).sort().at(-1) as string;
      const path = join(folder, newest, file);
      await truncate(path, Math.floor((await readFile(path)).length / 2));
      const warnings: string[] = [];
      const second = await run({ checkpoint: { folder }, resume: true, warn: (line) => warnings.push(line) });
      expect(warnings).toEqual([expect.stringContaining(path)]);
      expect(second.bits).toEqual(whole.bits);
    },
  );

  test('one changed byte is found; with no whole checkpoint the run is refused', async () => {
    await run({ checkpoint: { folder }, stopAfter: 1 });
    const [name] = await readdir(folder);
    const path = join(folder, name as string, 'weights.safetensors');
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await writeFile(path, bytes);
    const error = await rejection(run({ checkpoint: { folder }, resume: true, warn: () => {} }));
    expect(error).toMatchObject({ code: 'CHECKPOINT_ERROR', message: expect.stringContaining(folder) });
  });
});
