// fit where numbers go wrong: a loss, a validation, weights that are not finite.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ArrayDataset, DataLoader } from '../../lib/data/index.js';
import { cpu } from '../../lib/device.js';
import { Block, Conv2D, Dense, Sequential } from '../../lib/nn/index.js';
import { Trainer } from '../../lib/optim/index.js';
import { bestEpoch } from '../../lib/report/run-facts.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { EarlyStopping, type FitHandler, type FitOptions, fit as fitNet } from '../../lib/train/index.js';
import { rejection } from '../data/idx-files.js';
import { inFolder } from '../helpers/in-folder.js';
import { bitsOf, fitProblem } from './fit-problem.js';
import { brightPixels } from './problems.js';

const device = cpu();

/** Passes on its input, or NaN while it is bad. */
class Poison extends Block {
  bad = 0;
  override forward(x: Tensor): Tensor {
    return this.bad > 0 ? x.mul(Number.NaN) : x;
  }
}

describe('a loss that is NaN', () => {
  /** 7 steps an epoch; the layer '1' gives NaN at steps `from` to `to`. */
  async function poisoned(from: number, to: number, options: Partial<FitOptions>) {
    const poison = new Poison();
    const net = new Sequential().add(new Conv2D(2, { kernelSize: 1 }), poison, new Dense(3));
    net.initialize({ device });
    const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9 });
    const bits: Record<string, string>[] = [];
    const layers: string[] = [];
    let tried = 0;
    const advance = () => {
      tried += 1;
      poison.bad = Number(tried + 1 >= from && tried + 1 <= to);
    };
    const handler: FitHandler = {
      batchEnd: () => {
        bits.push(bitsOf(net));
        advance();
      },
      numericProblem: (_, { layer }) => {
        layers.push(layer);
        advance();
      },
    };
    const train = new DataLoader(brightPixels(50), { batchSize: 8, device });
    const training = fitNet(net, trainer, {
      train,
      epochs: 2,
      device,
      capture: false,
      handlers: [handler],
      ...options,
    });
    const error = await training.then(
      () => null,
      (reason: unknown) => reason,
    );
    return { error, bits, layers, net, trainer };
  }

  test('stops with NumericError that names epoch, step and layer, after a checkpoint of before', async () => {
    await inFolder(async (folder) => {
      const { error, bits, net } = await poisoned(10, 10, { checkpoint: { folder } });
      expect(error).toMatchObject({ code: 'NUMERIC_ERROR', details: { epoch: 2, step: 10, layer: '1' } });
      expect((error as Error).message).toContain("epoch 2, step 10; first in layer '1'");
      expect(bitsOf(net)).toEqual(bits[8]);
      expect((await readdir(folder)).sort().at(-1)).toBe('step-000000009');
      const before = new Sequential().add(new Conv2D(2, { kernelSize: 1 }), new Poison(), new Dense(3));
      await before.loadParameters(join(folder, 'step-000000009', 'weights.safetensors'));
      expect(bitsOf(before)).toEqual(bits[8]);
    });
  });

  test('leaves running statistics and random state as before a step of several batches', async () => {
    await inFolder(async (folder) => {
      const { net, trainer } = fitProblem(device);
      const poison = new Poison();
      net.add(poison);
      const train = new DataLoader(brightPixels(48), { batchSize: 8, device });
      const from = train.from.bind(train);
      train.from = async function* (batch: number) {
        let number = batch;
        for await (const each of from(batch)) {
          number += 1;
          poison.bad = Number(number === 5); // the second batch of the second step
          yield each;
        }
      } as typeof from;
      const training = fitNet(net, trainer, {
        ...{ train, epochs: 1, device, capture: false, accumulate: 3 },
        checkpoint: { folder, everySteps: 1 },
      });
      const before = await rejection(training);
      expect(before).toMatchObject({ code: 'NUMERIC_ERROR', details: { step: 2, layer: '6' } });
      const names = ['step-000000001', 'step-000000001.2']; // after the step; where the next was left out
      expect((await readdir(folder)).sort()).toEqual(names);
      const states = await Promise.all(
        names.map(async (name) => {
          const { state } = JSON.parse(await readFile(join(folder, name, 'state.json'), 'utf8'));
          return { weights: await readFile(join(folder, name, 'weights.safetensors'), 'hex'), random: state.random };
        }),
      );
      expect(states[1]).toEqual(states[0]);
    });
  });

  test('skips the step', async () => {
    const { error, layers, trainer } = await poisoned(3, 4, { onNan: 'skip' });
    expect(error).toBeNull();
    expect(layers).toEqual(['1', '1']);
    expect(trainer.numUpdate).toBe(12);
  });

  test('rolls back to the newest checkpoint', async () => {
    await inFolder(async (folder) => {
      const { error, bits, net } = await poisoned(14, 14, { onNan: 'rollback', checkpoint: { folder } });
      expect(error).toBeNull();
      expect(bitsOf(net)).toEqual(bits[6]); // of the end of the first epoch
    });
  });

  /** After step 3 the weights are finite, but so large that every loss is infinite; a checkpoint after each step. */
  async function overgrown(folder: string, keepLast: number) {
    const { net, trainer, train } = fitProblem(device);
    const told: (string | null)[] = [];
    const lines: string[] = [];
    const enlarge: FitHandler = {
      batchEnd: (_, { step }) => {
        if (step === 3)
          net
            .collectParams()
            .get('5.bias')
            ?.setData(Float32Array.of(3e38, -3e38, 0));
      },
      numericProblem: (_, { action, checkpoint }) => void told.push(checkpoint && basename(checkpoint), action),
    };
    const training = fitNet(net, trainer, {
      ...{ train, epochs: 3, device, onNan: 'rollback', handlers: [enlarge], warn: (line) => lines.push(line) },
      checkpoint: { folder, everySteps: 1, keepLast },
    });
    const result = await training.catch((error: unknown) => error);
    return { result, told, lines, trainer };
  }

  test('rolls back one checkpoint further where the newest leads to NaN again', async () => {
    await inFolder(async (folder) => {
      const { result, told, lines, trainer } = await overgrown(folder, 3);
      expect(told).toEqual(['step-000000003', 'rollback', 'step-000000002', 'rollback']);
      expect(lines).toEqual([]);
      expect(result).toMatchObject({ epochs: { length: 3 }, lastCheckpoint: join(folder, 'step-000000019') });
      expect(trainer.numUpdate).toBe(18); // 21 batches; one update is taken back, and two steps were not made
    });
  });

  test('skips steps where no older checkpoint is left, and says so', async () => {
    await inFolder(async (folder) => {
      const { result, told, lines } = await overgrown(folder, 1);
      expect(told.slice(0, 4)).toEqual(['step-000000003', 'rollback', null, 'skip']);
      expect(new Set(told.slice(3))).toEqual(new Set([null, 'skip', 'stop']));
      expect(lines).toEqual(Array.from({ length: 8 }, () => 'There is no older checkpoint to roll back to.'));
      expect(result).toMatchObject({ code: 'NUMERIC_ERROR', message: expect.stringContaining('10 times in a row') });
    });
  });

  test('keeps the checkpoints of before where the weights have become infinite', async () => {
    await inFolder(async (folder) => {
      const { net, trainer, train } = fitProblem(device);
      const lines: string[] = [];
      const training = fitNet(net, trainer, {
        train,
        epochs: 2,
        device,
        checkpoint: { folder, everySteps: 1, keepLast: 2 },
        warn: (line) => lines.push(line),
        handlers: [
          {
            batchEnd: (_, { step }) =>
              void (
                step === 3 &&
                net
                  .collectParams()
                  .get('5.bias')
                  ?.setData(Float32Array.of(1, 2, Number.POSITIVE_INFINITY))
              ),
          },
        ],
      });
      const last = join(folder, 'step-000000002');
      await expect(training).rejects.toMatchObject({
        code: 'NUMERIC_ERROR',
        details: { step: 4, layer: '5', checkpoint: last },
      });
      expect((await readdir(folder)).sort()).toEqual(['step-000000001', 'step-000000002']);
      expect(lines[0]).toBe("No checkpoint is written after step 3: '5.bias' has NaN or infinity.");
    });
  });

  test('stops at the tenth in a row all the same', async () => {
    const { error } = await poisoned(2, 99, { onNan: 'skip', epochs: 5 });
    expect(error).toMatchObject({ code: 'NUMERIC_ERROR', message: expect.stringContaining('10 times in a row') });
  });
});

test('an epoch whose validation gives NaN is not the best one', async () => {
  await inFolder(async (folder) => {
    const { net, trainer, train } = fitProblem(device);
    const poison = new Poison();
    net.add(poison);
    const { images, shape, classNames } = brightPixels(20);
    const ofFirstClass = new ArrayDataset({ images, labels: new Uint8Array(20), shape, classNames }); // argmax of NaN is right
    const loader = new DataLoader(ofFirstClass, { batchSize: 8, device });
    let evaluations = 0;
    const validation = {
      async *[Symbol.asyncIterator]() {
        evaluations += 1;
        poison.bad = Number(evaluations === 1);
        yield* loader;
        poison.bad = 0;
      },
    };
    const history = await fitNet(net, trainer, {
      ...{ train, validation, epochs: 3, device, capture: false, checkpoint: { folder } },
      handlers: [new EarlyStopping({ patience: 2, monitor: 'loss' })],
    });
    const [first, ...later] = history.epochs;
    expect(first?.validation).toMatchObject({ loss: Number.NaN, top1: Number.NaN });
    expect(history).toMatchObject({ stopped: null, epochs: { length: 3 } });
    expect(first?.validation?.confusion).toEqual([]);
    expect(history.bestCheckpoint).not.toContain('step-000000007');
    expect(bestEpoch(history)).toBe(later.find(({ validation: each }) => each?.confusion.length === 3));
  });
});
