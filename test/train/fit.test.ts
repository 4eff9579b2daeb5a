// fit: the steps it takes, events, averaging, accumulation, mixup, early stopping, metrics.
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ArrayDataset, DataLoader } from '../../lib/data/index.js';
import { cpu } from '../../lib/device.js';
import { Block, Sequential } from '../../lib/nn/index.js';
import { Trainer } from '../../lib/optim/index.js';
import { tensor } from '../../lib/tensor/create.js';
import { memory } from '../../lib/tensor/memory.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { ClassificationTotals } from '../../lib/train/confusion.js';
import {
  EarlyStopping,
  type FitHandler,
  type FitOptions,
  type FitRun,
  fit as fitNet,
  MetricsLog,
} from '../../lib/train/index.js';
import { mixup } from '../../lib/train/mixup.js';
import { rejection } from '../data/idx-files.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { inFolder } from '../helpers/in-folder.js';
import { fitProblem } from './fit-problem.js';
import { brightPixels, linearNet, referenceTraining } from './problems.js';

const device = cpu();

/** Trains the linear net on 48 images; its weights [3, 4] and the history. */
async function trainLinear(options: Partial<FitOptions> & { batchSize?: number } = {}) {
  const { batchSize = 8, ...rest } = options;
  const net = linearNet();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.5 });
  const loader = new DataLoader(brightPixels(48), { batchSize, device });
  const history = await fitNet(net, trainer, { train: loader, validation: loader, epochs: 4, device, ...rest });
  return { history, weights: net.weight.data().dataSync() as Float32Array, trainer };
}

describe('fit', () => {
  test('takes the steps of softmax regression in plain loops', async () => {
    const { history } = await trainLinear();
    for (const [i, expected] of referenceTraining(brightPixels(48), 8, 0.5, 4).entries()) {
      expect((history.epochs[i]?.loss as number) / expected.loss).toBeCloseTo(1, 5);
      expect(history.epochs[i]?.trainAccuracy).toBeCloseTo(expected.accuracy, 12);
    }
  });

  test.each([2, 3, 4])('sums the gradients of %i batches for one step', async (accumulate) => {
    const [small, large] = [
      await trainLinear({ accumulate, batchSize: 4 }),
      await trainLinear({ batchSize: 4 * accumulate }),
    ];
    expect(small.trainer.numUpdate).toBe(large.trainer.numUpdate);
    for (const [i, value] of small.weights.entries()) expect(value).toBeCloseTo(large.weights[i] as number, 5);
  });

  test('tells its handlers of everything in order, and leaves no tensors behind', async () => {
    const events: string[] = [];
    const names = ['trainBegin', 'epochBegin', 'batchEnd', 'epochEnd', 'trainEnd'] as const;
    const handler = Object.fromEntries(names.map((name) => [name, () => void events.push(name)])) as FitHandler;
    const { net, trainer, train, validation } = fitProblem(device);
    const options = { train, validation, device, averageDecay: 0.5, mixup: { alpha: 1 }, accumulate: 2 };
    await fitNet(net, trainer, { ...options, epochs: 1 });
    await collectGarbage();
    const before = memory();
    await fitNet(net, trainer, { ...options, epochs: 2, handlers: [handler] });
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    const epoch = ['epochBegin', ...new Array(4).fill('batchEnd'), 'epochEnd'];
    expect(events).toEqual(['trainBegin', ...epoch, ...epoch, 'trainEnd']);
  });

  test('evaluates and stores averaged weights', async () => {
    await inFolder(async (folder) => {
      const net = linearNet();
      const seen = [[...(net.weight.data().dataSync() as Float32Array)]];
      const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.5 });
      const train = new DataLoader(brightPixels(24), { batchSize: 8, device });
      const handler = { batchEnd: () => void seen.push([...(net.weight.data().dataSync() as Float32Array)]) };
      await fitNet(net, trainer, {
        train,
        epochs: 2,
        device,
        averageDecay: 0.3,
        handlers: [handler],
        checkpoint: { folder },
      });
      let average = seen[1] as number[]; // begins with the weights of the first step
      for (const [n, weights] of seen.slice(1).entries()) {
        const decay = Math.min(0.3, (1 + n) / (10 + n));
        average = average.map((value, i) => decay * value + (1 - decay) * (weights[i] as number));
      }
      const stored = linearNet();
      await stored.loadParameters(join(folder, 'step-000000006', 'average.safetensors'));
      for (const [i, value] of (stored.weight.data().dataSync() as Float32Array).entries())
        expect(value).toBeCloseTo(average[i] as number, 5);
      expect([...(net.weight.data().dataSync() as Float32Array)]).toEqual(seen.at(-1));
    });
  });

  test('keeps the confusion matrices of the best and of the last epoch', async () => {
    await inFolder(async (folder) => {
      const { net, trainer, train, validation } = fitProblem(device);
      const file = join(folder, 'metrics.jsonl');
      const { epochs } = await fitNet(net, trainer, {
        train,
        validation,
        epochs: 4,
        device,
        handlers: [new MetricsLog(file)],
      });
      const accuracies = epochs.map((epoch) => epoch.validation?.top1 as number);
      const best = accuracies.indexOf(Math.max(...accuracies));
      const kept = epochs.map((epoch) => epoch.validation?.confusion.length !== 0);
      expect(kept).toEqual(epochs.map((_, i) => i === best || i === 3));
      const lines = (await readFile(file, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const logged = lines.filter(({ event }) => event === 'epoch').map(({ validation: each }) => each);
      expect(logged.map(({ top1 }) => top1)).toEqual(accuracies);
      for (const each of logged) expect(each).not.toHaveProperty('confusion');
    });
  });

  test('stops early after the epochs of patience', async () => {
    const { net, train, validation } = fitProblem(device);
    const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0 });
    const stopping = new EarlyStopping({ patience: 2, monitor: 'accuracy', minDelta: 1 });
    const history = await fitNet(net, trainer, { train, validation, epochs: 9, device, handlers: [stopping] });
    expect(history.epochs.length).toBe(3);
    expect(history.stopped).toContain('2 epochs');
  });

  test('a metrics.jsonl that cannot be written ends the run with its name', async () => {
    await inFolder(async (folder) => {
      const { net, trainer, train } = fitProblem(cpu());
      const file = join(folder, 'metrics.jsonl');
      const log = new MetricsLog(file);
      const fillDisk: FitHandler = {
        batchEnd: async (_, { step }) => {
          if (step !== 3) return;
          const handle = await open(file);
          await handle.close();
          const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
            code: 'ENOSPC',
            syscall: 'write',
          });
          vi.spyOn(Object.getPrototypeOf(handle), 'appendFile').mockRejectedValue(full);
        },
      };
      const run = fitNet(net, trainer, { train, epochs: 1, device: cpu(), handlers: [fillDisk, log] });
      const error = await rejection(run).finally(() => vi.restoreAllMocks());
      expect(error).toMatchObject({ code: 'CHECKPOINT_ERROR', details: { file } });
      expect(error.message).toBe(`${file}: cannot be written: ENOSPC: no space left on device, write.`);
    });
  });

  test('metrics.jsonl of a killed run: half a line goes, and an epoch that is to be ended again', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'metrics.jsonl');
      const lines = [
        '{"event":"step","epoch":1,"step":6}',
        '{"event":"step","epoch":1,"step":7}',
        '{"event":"epoch","epoch":1,"step":7}',
      ];
      const resumedAt = async (epoch: number) => {
        await writeFile(file, `${lines.join('\n')}\n{"event":"step","epoch":2,"st`);
        const log = new MetricsLog(file);
        await log.trainBegin({ step: 7, epoch } as FitRun);
        await log.trainEnd();
        return (await readFile(file, 'utf8')).split('\n');
      };
      expect(await resumedAt(1)).toEqual([...lines, '']);
      expect(await resumedAt(0)).toEqual([...lines.slice(0, 2), '']); // stopped after the last step, before the evaluation
    });
  });

  test('writes metrics.jsonl, one line a step and an epoch, also over a resumption', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'metrics.jsonl');
      for (const epochs of [1, 2]) {
        const { net, trainer, train } = fitProblem(device);
        const checkpoint = { folder: join(folder, 'checkpoints') };
        await fitNet(net, trainer, {
          train,
          epochs,
          device,
          checkpoint,
          resume: true,
          handlers: [new MetricsLog(file)],
        });
      }
      const lines = (await readFile(file, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const epoch = [...new Array(7).fill('step'), 'epoch'];
      expect(lines.map(({ event }) => event)).toEqual([...epoch, ...epoch]);
      expect(lines.filter(({ event }) => event === 'step').map(({ step }) => step)).toEqual(
        Array.from({ length: 14 }, (_, i) => i + 1),
      );
    });
  });

  test.each([
    ['resume', { resume: true }],
    ['checkpoint', { onNan: 'rollback' }],
    ['averageDecay', { averageDecay: 2 }],
    ['accumulate', { accumulate: 0 }],
    ['mixup.alpha', { mixup: { alpha: 0 } }],
    ['unknownOption', { unknownOption: 1 }],
  ])('refuses a wrong %s', async (name, options) => {
    const error = await rejection(trainLinear(options as Partial<FitOptions>));
    expect(error).toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining(name) });
  });
});

test('a confusion matrix, top-1, top-5, precision, recall and loss', () => {
  const totals = new ClassificationTotals();
  const rows = [
    [9, 8, 7, 6, 5, 4],
    [0, 1, 2, 3, 4, 5],
    [0, 3, 0, 0, 0, 0],
  ]; // predictions 0, 5, 1
  expect(totals.add(rows.slice(0, 2).flat(), [0, 0])).toEqual([0, 5]);
  expect(totals.add(rows[2] as number[], [1])).toEqual([1]);
  const metrics = totals.metrics;
  expect(metrics).toMatchObject({ images: 3, top1: 2 / 3, top5: 2 / 3 });
  expect(metrics.confusion[0]).toEqual([1, 0, 0, 0, 0, 1]);
  expect(metrics.classes[0]).toEqual({ precision: 1, recall: 0.5, images: 2 });
  expect(metrics.classes[5]).toEqual({ precision: 0, recall: null, images: 0 });
  const loss = (row: number[], label: number) =>
    Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0)) - (row[label] as number);
  const expected = rows.map((row, i) => loss(row, [0, 0, 1][i] as number)).reduce((a, b) => a + b) / 3;
  expect(metrics.loss).toBeCloseTo(expected, 10);
});

test('scores that are NaN give no accuracy, no precision and no recall', () => {
  const totals = new ClassificationTotals();
  totals.add([9, 8, 7, Number.NaN, Number.NaN, Number.NaN], [0, 0]); // argmax of NaN would be right
  const { confusion, ...metrics } = totals.metrics;
  expect(metrics).toMatchObject({ images: 2, loss: Number.NaN, top1: Number.NaN, top5: Number.NaN });
  expect(metrics.classes[0]).toEqual({ precision: null, recall: null, images: 2 });
  expect(confusion[0]).toEqual([2, 0, 0]);
});

test('mixup draws anew for each batch of an accumulated step', async () => {
  const { net, trainer } = fitProblem(device);
  const seen: string[] = []; // the images that the net gets
  class Probe extends Block {
    override forward(x: Tensor): Tensor {
      seen.push(x.dataSync().join());
      return x;
    }
  }
  const ones = { images: new Uint8Array(4 * 16).map((_, i) => (i % 32 < 4 ? 255 : 0)), labels: new Uint8Array(16) };
  const data = new ArrayDataset({ ...ones, shape: [1, 2, 2], classNames: ['a', 'b', 'c'] }); // two equal batches of 8
  await fitNet(new Sequential().add(new Probe(), net), trainer, {
    ...{ train: new DataLoader(data, { batchSize: 8, device }), epochs: 1, device, capture: false },
    ...{ accumulate: 2, mixup: { alpha: 1 } },
  });
  const [first, second] = seen.slice(-2);
  expect(first).not.toBe(second);
});

test('mixup mixes images and labels alike, the same for a seed', () => {
  const X = tensor([1, 2, 3, 4, 5, 6], { shape: [6, 1], device });
  const y = tensor([1, 2, 3, 4, 5, 6], { dtype: 'int32', device });
  const draw = (batch: number) => {
    const { images, otherLabels, share } = mixup(X, y, { alpha: 0.5, seed: 3 }, 1, batch);
    return { images: [...images.dataSync()], other: [...otherLabels.dataSync()], share: share.item() };
  };
  const { images, other, share } = draw(0);
  expect([...other].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  for (const [i, value] of images.entries())
    expect(value).toBeCloseTo(share * (i + 1) + (1 - share) * (other[i] as number), 5);
  expect(draw(0)).toEqual({ images, other, share });
  expect(draw(1).share).not.toBe(share);
  const shares = Array.from({ length: 2000 }, (_, batch) => draw(batch).share);
  const mean = shares.reduce((a, b) => a + b) / 2000;
  const variance = shares.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2000;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(variance).toBeCloseTo(1 / 8, 1); // 1 / (4 (2 alpha + 1))
});
