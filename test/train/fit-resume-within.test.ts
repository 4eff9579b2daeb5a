// fit with everything at once: stopped or killed at any batch, also within a group of accumulated ones, and resumed to the same bits.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DataLoader, type Dataset, imageFolder } from '../../lib/data/index.js';
import { cpu, type Device } from '../../lib/device.js';
import { Trainer } from '../../lib/optim/index.js';
import { OneCycleScheduler } from '../../lib/optim/lr-scheduler.js';
import type { Precision } from '../../lib/precision.js';
import { seed } from '../../lib/tensor/random.js';
import { EarlyStopping, type FitHandler, type FitOptions, fit as fitNet } from '../../lib/train/index.js';
import { writeImageTree } from '../data/image-tree.js';
import { supports, testDevices } from '../helpers/devices.js';
import { bitsOf, fitProblem } from './fit-problem.js';
import { brightPixels } from './problems.js';

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residua-within-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const epochs = 5;
const accumulate = 3; // the 7 batches of an epoch are groups of 3, 3 and 1
const places = [2, 6, 7, 8, 13, 17]; // batches: within groups, at their ends, alone in a group, the first of an epoch

/** What ends a run at its n-th batch, counted from 1: before that batch is trained on. */
interface End {
  at: number;
  by: 'signal' | 'kill';
}

class Killed extends Error {}

/** Trains; early stopping ends it after a few epochs unless `end` does. */
async function run(device: Device, precision: Precision, options: Partial<FitOptions> = {}, end?: End) {
  const { net, validation } = fitProblem(device);
  const train = new DataLoader(brightPixels(50), { batchSize: 8, shuffle: true, balanced: true, device });
  const lrScheduler = new OneCycleScheduler({ maxUpdate: 3 * epochs, riseSteps: 4, baseLr: 0.2 });
  const trainer = new Trainer(net.collectParams(), 'sgd', { momentum: 0.9, nesterov: true, wd: 1e-3, lrScheduler });
  if (await hasCheckpoint(options)) seed(99); // the checkpoint's random state must count, not this one
  const ending = new AbortController();
  if (end) endAt(train, end, ending);
  const history = await fitNet(net, trainer, {
    ...{ train, validation, epochs, device, precision, accumulate, averageDecay: 0.9, mixup: { alpha: 0.4 } },
    ...{ labelSmoothing: 0.1, signal: ending.signal },
    handlers: [new EarlyStopping({ patience: 2, minDelta: 1 })], // the first epoch is best
    ...options,
  });
  return {
    stopped: history.stopped,
    epochs: history.epochs.map(({ seconds, ...values }) => values),
    bits: bitsOf(net),
    numUpdate: trainer.numUpdate,
  };
}

async function hasCheckpoint({ checkpoint }: Partial<FitOptions>): Promise<boolean> {
  const names = checkpoint ? await readdir(checkpoint.folder).catch(() => []) : [];
  return names.length > 0;
}

function endAt(train: DataLoader<Dataset>, end: End, ending: AbortController): void {
  const from = train.from.bind(train);
  let count = 0;
  train.from = async function* (batch: number) {
    for await (const each of from(batch)) {
      count += 1;
      if (count === end.at && end.by === 'kill') throw new Killed();
      if (count === end.at) ending.abort();
      yield each;
    }
  } as typeof from;
}

test('batches of broken files alone, which the loader passes over, are not counted twice', async () => {
  const { root } = await writeImageTree(join(folder, 'images'));
  const images = (await imageFolder(root, { onBroken: () => {} })).subset([0, 1, 4, 5, 7, 8, 9, 10, 4]); // 4 and 5 are broken
  const device = cpu();
  const trained = async (checkpoint: FitOptions['checkpoint'], stopAfter?: number) => {
    const { net, trainer } = fitProblem(device);
    const train = new DataLoader(images, { batchSize: 2, resize: 4, device }); // the second of five and the last are broken
    const ending = new AbortController();
    const stopper: FitHandler = { batchEnd: (_, { step }) => void (step === stopAfter && ending.abort()) };
    const resume = await hasCheckpoint({ checkpoint });
    const history = await fitNet(net, trainer, {
      ...{ train, epochs: 2, device, checkpoint, resume, mixup: { alpha: 0.4 } },
      ...{ signal: ending.signal, handlers: [stopper] },
    });
    return { bits: bitsOf(net), epochs: history.epochs.map(({ seconds, ...values }) => values) };
  };
  const whole = await trained(undefined);
  expect(whole.epochs.map(({ step }) => step)).toEqual([3, 6]);
  for (const stopAfter of [1, 2, 3, 4, 6]) {
    const checkpoint = { folder: join(folder, `step-${stopAfter}`) };
    await trained(checkpoint, stopAfter);
    expect(await trained(checkpoint), `stopped after ${stopAfter}`).toEqual(whole);
  }
});

const cases = testDevices.flatMap((device) =>
  (['float32', 'bfloat16'] as Precision[])
    .filter((precision) => supports(device, precision))
    .map((precision): [string, Device, Precision] => [`${precision} on ${device}`, device, precision]),
);

describe.each(cases)('in %s', (_, device, precision) => {
  test('a run that is stopped or killed at a batch ends with the bits of an unbroken one', async () => {
    const whole = await run(device, precision);
    expect(whole).toMatchObject({ epochs: { length: 3 }, numUpdate: 9, stopped: expect.stringContaining('2 epochs') });
    for (const at of places) {
      for (const by of ['signal', 'kill'] as const) {
        const checkpoint = { folder: join(folder, `${by}-${at}`), everySteps: 2, keepLast: 1 };
        const first = await run(device, precision, { checkpoint }, { at, by }).catch((error) => {
          if (!(error instanceof Killed)) throw error;
          return null;
        });
        expect(first === null).toBe(by === 'kill');
        const second = await run(device, precision, { checkpoint, resume: true });
        expect(second, `${by} at batch ${at}`).toEqual(whole);
      }
    }
  });
});
