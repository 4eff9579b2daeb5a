// trainCh5: against plain loops, its lines, events, stopping, failures, memory.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DataLoader, fashionMnistFolders, loadDataFashionMnist } from '../../lib/data/index.js';
import { Dense } from '../../lib/nn/index.js';
import { Trainer } from '../../lib/optim/index.js';
import { memory } from '../../lib/tensor/memory.js';
import { seed } from '../../lib/tensor/random.js';
import { type BatchEvent, type EpochRecord, type TrainOptions, trainCh5 } from '../../lib/train/index.js';
import { rejection } from '../data/idx-files.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { brightPixels, linearNet, referenceTraining } from './problems.js';

onEachDevice((device) => {
  const data = brightPixels(50);
  const batchSize = 8; // six batches and one of two images

  /** Trains the linear net; the lines go into `lines`. */
  function train(epochs: number, options: TrainOptions & { learningRate?: number } = {}, lines: string[] = []) {
    const { learningRate = 0.5, ...rest } = options;
    const net = linearNet();
    const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate });
    const loader = () => new DataLoader(data, { batchSize, device });
    return trainCh5(net, loader(), loader(), batchSize, trainer, device, epochs, {
      log: (line) => lines.push(line),
      ...rest,
    });
  }

  describe('trainCh5', () => {
    test('takes the steps of softmax regression in plain loops', async () => {
      const history = await train(5);
      const expected = referenceTraining(data, batchSize, 0.5, 5);
      for (const [i, epoch] of history.epochs.entries()) {
        expect(epoch.loss / (expected[i]?.loss as number)).toBeCloseTo(1, 5);
        expect(epoch.trainAccuracy).toBeCloseTo(expected[i]?.accuracy as number, 12);
      }
      expect(history.epochs.length).toBe(5);
      expect(history.epochs[4]?.testAccuracy).toBeGreaterThan(0.9);
    });

    test('gives the same with and without capture', async () => {
      const losses = async (capture: boolean) => (await train(3, { capture })).epochs.map(({ loss }) => loss);
      const [captured, plain] = [await losses(true), await losses(false)];
      for (const [i, loss] of captured.entries()) expect(loss / (plain[i] as number)).toBeCloseTo(1, 6);
    });

    test("prints the chapter's lines", async () => {
      const lines: string[] = [];
      const history = await train(2, {}, lines);
      expect(lines[0]).toBe(`training on ${device}`);
      expect(lines.length).toBe(3);
      for (const [i, { loss, trainAccuracy, testAccuracy, seconds }] of history.epochs.entries()) {
        expect(lines[i + 1]).toMatch(
          /^epoch \d, loss \d+\.\d{4}, train acc \d\.\d{3}, test acc \d\.\d{3}, time \d+\.\d sec$/,
        );
        const numbers = [loss.toFixed(4), trainAccuracy.toFixed(3), testAccuracy.toFixed(3), seconds.toFixed(1)];
        expect(lines[i + 1]).toBe(
          `epoch ${i + 1}, loss ${numbers[0]}, train acc ${numbers[1]}, test acc ${numbers[2]}, time ${numbers[3]} sec`,
        );
      }
    });

    test('reports every step and every epoch', async () => {
      const batches: BatchEvent[] = [];
      const epochs: EpochRecord[] = [];
      const history = await train(2, {
        onBatch: (event) => batches.push(event),
        onEpoch: (record) => epochs.push(record),
      });
      expect(epochs).toEqual(history.epochs);
      expect(batches.map(({ epoch, batch, batches: of, images }) => [epoch, batch, of, images])).toEqual(
        [1, 2].flatMap((epoch) => [8, 16, 24, 32, 40, 48, 50].map((images, i) => [epoch, i + 1, 7, images])),
      );
      for (const [i, last] of [batches[6], batches[13]].entries()) {
        expect(last?.loss).toBe(history.epochs[i]?.loss);
        expect(last?.accuracy).toBe(history.epochs[i]?.trainAccuracy);
      }
      for (const { seconds, imagesPerSecond } of history.epochs) {
        expect(seconds).toBeGreaterThan(0);
        expect(imagesPerSecond).toBeGreaterThan(50 / seconds); // the evaluation is part of the seconds alone
      }
    });

    test('gives a history that JSON keeps', async () => {
      const history = await train(1);
      expect(JSON.parse(JSON.stringify(history))).toEqual(history);
      expect(history).toMatchObject({ device: device.name, batchSize, aborted: false });
      expect(await train(0)).toEqual({ device: device.name, batchSize, epochs: [], aborted: false });
    });

    test('stops between steps when it is told to', async () => {
      const controller = new AbortController();
      const seen: BatchEvent[] = [];
      const history = await train(3, {
        signal: controller.signal,
        onBatch: (event) => {
          seen.push(event);
          if (event.epoch === 2 && event.batch === 3) controller.abort();
        },
      });
      expect(history).toMatchObject({ aborted: true, epochs: [{ epoch: 1 }] });
      // Step 4 was under way when step 3 was reported.
      expect(seen.slice(7).map((event) => event.batch)).toEqual([1, 2, 3, 4]);
      expect(await train(3, { signal: AbortSignal.abort() })).toMatchObject({ aborted: true, epochs: [] });
    });

    test('stops in the evaluation too', async () => {
      const controller = new AbortController();
      const onBatch = ({ batch }: BatchEvent) => {
        if (batch === 7) controller.abort();
      };
      expect(await train(3, { signal: controller.signal, onBatch })).toMatchObject({ aborted: true, epochs: [] });
    });

    test('says in which step the loss is no number any more', async () => {
      const error = await rejection(train(2, { learningRate: 1e38 }));
      expect(error).toMatchObject({ code: 'NUMERIC_ERROR', details: { epoch: 1 } });
      expect(error.details?.step).toBeGreaterThan(1);
      expect(error.details?.step).toBeLessThanOrEqual(7);
      expect(error.message).toMatch(/The loss became (NaN|Infinity) in epoch 1, step \d/);
    });

    test('passes on what a callback throws', async () => {
      const onBatch = () => {
        throw new Error('mine');
      };
      expect((await rejection(train(2, { onBatch }))).message).toBe('mine');
    });

    test('refuses arguments that make no sense', async () => {
      const loader = new DataLoader(data, { batchSize, device });
      const trainer = { step: () => {} };
      const call = (size: unknown, epochs: unknown, where: unknown = device, options?: unknown) =>
        rejection(
          trainCh5(
            linearNet(),
            loader,
            loader,
            size as number,
            trainer,
            where as typeof device,
            epochs as number,
            options as TrainOptions,
          ),
        );
      for (const error of [
        await call(0, 1),
        await call(Number.NaN, 1),
        await call(8, -1),
        await call(8, 1.5),
        await call(8, 1, 'cpu'),
        await call(8, 1, device, { onStep: 1 }),
      ]) {
        expect(error).toMatchObject({ code: 'CONFIG_ERROR' });
      }
      expect(await rejection(trainCh5(linearNet(), [], [], 8, trainer, device, 1, { log: () => {} }))).toMatchObject({
        code: 'DATA_ERROR',
      });
    });

    test('tells of labels that are no classes', async () => {
      const wrong = new DataLoader(
        { ...data, labels: data.labels.map((label) => label + 1), length: data.length } as never,
        { batchSize, device },
      );
      const net = linearNet();
      const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.5 });
      const error = await rejection(trainCh5(net, wrong, wrong, batchSize, trainer, device, 1, { log: () => {} }));
      expect(error).toMatchObject({ code: 'DATA_ERROR', details: { argument: 'labels', found: 3 } });
    });

    test('leaves no tensors behind, step after step, and the event loop free', async () => {
      const net = linearNet();
      const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9 });
      const loader = new DataLoader(data, { batchSize, device, shuffle: true });
      const quiet = { log: () => {} };
      await trainCh5(net, loader, loader, batchSize, trainer, device, 1, quiet);
      await collectGarbage();
      const before = memory();
      let turns = 0;
      let done = false;
      const turn = () => {
        turns += 1;
        if (!done) setImmediate(turn);
      };
      turn();
      await trainCh5(net, loader, loader, batchSize, trainer, device, 10, quiet);
      done = true;
      expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
      expect(turns).toBeGreaterThan(70); // a turn of the loop for each step at the least
    });

    test('gives the same run for the same seed', async () => {
      const run = async () => {
        seed(11);
        const net = new Dense(3);
        net.initialize({ device });
        const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.5 });
        const loader = new DataLoader(data, { batchSize, shuffle: true, device });
        const { epochs } = await trainCh5(net, loader, loader, batchSize, trainer, device, 3, { log: () => {} });
        return epochs.map(({ loss, trainAccuracy, testAccuracy }) => [loss, trainAccuracy, testAccuracy]);
      };
      expect(await run()).toEqual(await run());
    });
  });

  const installed = fashionMnistFolders().some((folder) => existsSync(`${folder}/train-images-idx3-ubyte.gz`));

  test.skipIf(!installed)(
    'learns Fashion-MNIST with a linear net (skipped where the data set is not installed)',
    async () => {
      seed(1);
      const [trainIter, testIter] = await loadDataFashionMnist(64, { limit: 6000, device });
      const net = new Dense(10);
      net.initialize({ device });
      const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1 });
      const { epochs } = await trainCh5(net, trainIter, testIter, 64, trainer, device, 2, { log: () => {} });
      expect(epochs[1]?.testAccuracy).toBeGreaterThan(0.7);
      expect(epochs[1]?.loss).toBeLessThan(epochs[0]?.loss as number);
    },
  );
});
