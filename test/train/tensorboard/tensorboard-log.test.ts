// TensorBoardLog: what a run of fit leaves in event files.
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeImage, transforms } from '../../../lib/data/index.js';
import {
  ConfigError,
  cpu,
  data,
  type FitHandler,
  type FitRun,
  fit as fitNet,
  MetricsLog,
  memory,
  TensorBoardLog,
} from '../../../lib/index.js';
import { Block, Dense } from '../../../lib/nn/index.js';
import { Trainer } from '../../../lib/optim/index.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { confusionPicture, imageGrid } from '../../../lib/train/tensorboard/pictures.js';
import { collectGarbage } from '../../helpers/collect-garbage.js';
import { bitsOf, fitProblem } from '../fit-problem.js';
import { brightPixels } from '../problems.js';
import { type ReadEvent, readEvents } from './event-file.js';
import { loggedRun, type RunOptions, readFiles } from './logged-run.js';

const device = cpu();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residua-tensorboard-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (options: RunOptions = {}) => loggedRun(folder, options);
const eventFiles = (): Promise<ReadEvent[][]> => readFiles(folder);

const stepsOf = (events: readonly ReadEvent[], tag: string): number[] =>
  events.filter((event) => event.tag === tag).map(({ step }) => step);

describe('TensorBoardLog', () => {
  test('has the curves that the history has, and those of each step', async () => {
    const { history } = await run();
    const [events = []] = await eventFiles();
    const scalars = (tag: string) => events.filter((event) => event.tag === tag).map(({ scalar }) => scalar);
    const epochs = history?.epochs ?? [];
    expect(stepsOf(events, 'accuracy/train')).toEqual([7, 14]);
    const expected: [string, (number | undefined)[]][] = [
      ['accuracy/train', epochs.map(({ trainAccuracy }) => trainAccuracy)],
      ['loss/validation', epochs.map(({ validation }) => validation?.loss)],
      ['accuracy/validation', epochs.map(({ validation }) => validation?.top1)],
      ['accuracy/validation-top5', epochs.map(({ validation }) => validation?.top5)],
    ];
    for (const [tag, values] of expected)
      expect(scalars(tag), tag).toEqual(values.map((value) => Math.fround(value ?? NaN)));
    for (const tag of ['loss/train', 'learning-rate', 'images-per-second', 'memory/process-MB', 'memory/tensors-MB']) {
      expect(stepsOf(events, tag), tag).toEqual([1, 2, 4, 6, 8, 10, 12, 14]);
      for (const value of scalars(tag)) expect(value, tag).toBeGreaterThan(0);
    }
  });

  test('has of a validation that is not finite its loss, and neither accuracies nor a confusion matrix', async () => {
    const spoil: FitHandler = {
      batchEnd: ({ net }, { step }) => {
        if (step === 7) net.collectParams().get('5.bias')?.setData(new Float32Array(3).fill(Number.NaN));
      },
    };
    const handlers = [new TensorBoardLog(folder), new MetricsLog(join(folder, '.metrics.jsonl')), spoil];
    await run({ epochs: 1, handlers });
    const names = await readdir(folder);
    const events = readEvents(join(folder, names.find((name) => name.startsWith('events')) as string));
    const tags = new Set(events.map(({ tag }) => tag));
    expect(events.find(({ tag }) => tag === 'loss/validation')?.scalar).toBeNaN();
    expect(tags).toContain('accuracy/train');
    for (const tag of ['accuracy/validation', 'accuracy/validation-top5', 'confusion']) expect(tags).not.toContain(tag);
    const lines = (await readFile(join(folder, '.metrics.jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(lines.at(-1) as string).validation).toEqual({ images: 20, loss: null, top1: null, top5: null });
  });

  test('has histograms of the values of each parameter and of its last gradient', async () => {
    const { net } = await run({ epochs: 1 });
    const [events = []] = await eventFiles();
    const histogram = (tag: string) => events.find((event) => event.tag === tag)?.histogram;
    for (const [name, parameter] of net.collectParams()) {
      if (!parameter.trainable) {
        expect(histogram(`weights/${name}`), name).toBeUndefined();
        continue;
      }
      const [values, gradients] = [parameter.data().dataSync(), parameter.grad().dataSync()].map((list) => [...list]);
      const sum = (list: number[] = []) => list.reduce((total, value) => total + value, 0);
      expect(histogram(`weights/${name}`)?.sum, name).toBeCloseTo(sum(values), 5);
      expect(histogram(`gradients/${name}`)?.sum, name).toBeCloseTo(sum(gradients) / 2, 5); // the last batch has two images
      expect(sum(histogram(`gradients/${name}`)?.counts), name).toBe(parameter.grad().size);
    }
  });

  test('has the first training images as they are without normalisation, the confusion matrix, the config', async () => {
    const normalised = new data.DataLoader(brightPixels(50), {
      batchSize: 8,
      seed: 3,
      transform: transforms.normalize([0.3], [0.2]),
      device,
    });
    const { train } = fitProblem(device);
    expect(train.length).toBe(normalised.length);
    await run({ train: normalised, epochs: 1, checkpoint: { folder: join(folder, '.checkpoints'), config: { a: 1 } } });
    const name = (await readdir(folder)).find((file) => file.startsWith('events')) as string;
    const events = readEvents(join(folder, name));
    const images = events.filter(({ image }) => image);
    expect(images.map(({ tag, step }) => [tag, step])).toEqual([
      ['images/train', 0],
      ['confusion', 7],
    ]);
    const grid = await decodeImage(images[0]?.image?.png as Uint8Array, { channels: 1 });
    expect([grid.width, grid.height]).toEqual([10, 10]); // 3 x 3 places of 2 pixels, with gaps of 2
    const pixels = brightPixels(8).images;
    for (let i = 0; i < 8; i++)
      for (let at = 0; at < 4; at++) {
        const [y, x] = [Math.floor(i / 3) * 4 + (at >> 1), (i % 3) * 4 + (at & 1)];
        expect(grid.pixels[y * 10 + x]).toBe(pixels[4 * i + at]);
      }
    const matrix = images[1]?.image as NonNullable<ReadEvent['image']>;
    expect(await decodeImage(matrix.png)).toMatchObject({ width: matrix.width, height: matrix.height });
    expect(events.find(({ tag }) => tag === 'config')?.text).toBe('    {\n      "a": 1\n    }');
  });

  test('colours stay where they are', async () => {
    const values = [1, 0, 0, 0, 0, 0, 0, 0, 0.2, 0.4, 2, -1]; // [1, 3, 2, 2]: red, green, blue
    const { png } = imageGrid({ values, shape: [1, 3, 2, 2], normalization: null });
    expect([...(await decodeImage(png)).pixels]).toEqual([255, 0, 0, 0, 0, 0, 0, 0, 51, 102, 255, 0]);
  });

  test('a confusion matrix of many classes is a square for each pair', async () => {
    const confusion = Array.from({ length: 50 }, (_, label) =>
      Array.from({ length: 50 }, (_, i) => Number(i === label)),
    );
    const { png, width, height } = await confusionPicture(confusion, null);
    const { pixels } = await decodeImage(png, { channels: 1 });
    expect([width, height, pixels.length]).toEqual([800, 800, 800 * 800]);
    for (const [y, x] of [
      [0, 0],
      [799, 799],
      [20, 24],
      [0, 16],
      [799, 0],
    ] as const)
      expect(pixels[y * 800 + x]).toBe(Math.floor(y / 16) === Math.floor(x / 16) ? 50 : 255);
  });

  test('leaves the bits of the run as they are, and can leave out what is large', async () => {
    const [plain, logged] = [await run({ handlers: [] }), await run()];
    expect(bitsOf(logged.net)).toEqual(bitsOf(plain.net));
    await rm(folder, { recursive: true });
    await run({ handlers: [new TensorBoardLog(folder, { histograms: false, images: false, graph: false })] });
    const [events = []] = await eventFiles();
    expect(new Set(events.flatMap(({ tag = [] }) => tag))).toEqual(
      new Set([
        ...['loss/train', 'learning-rate', 'images-per-second', 'memory/process-MB', 'memory/tensors-MB'],
        ...['accuracy/train', 'loss/validation', 'accuracy/validation', 'accuracy/validation-top5'],
      ]),
    );
    expect(stepsOf(events, 'loss/train')).toEqual([1, 10]);
    expect(events.some(({ graph }) => graph)).toBe(false);
  });

  test('a net that reads values in its forward has no graph, and is told of', async () => {
    class Reading extends Block {
      readonly dense = new Dense(3);
      override forward(x: Tensor): Tensor {
        const scores = this.dense.forward(x);
        return scores.mul(scores.sum().item() > 1e9 ? 2 : 1);
      }
    }
    const net = new Reading();
    net.initialize({ device });
    const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1 });
    const { train } = fitProblem(device);
    const warnings: string[] = [];
    const handlers = [new TensorBoardLog(folder)];
    await fitNet(net, trainer, {
      train,
      epochs: 1,
      device,
      capture: false,
      handlers,
      warn: (line) => warnings.push(line),
    });
    expect(warnings.filter((line) => line.includes('no graph'))).toHaveLength(1);
    expect((await eventFiles()).flat().some(({ graph }) => graph)).toBe(false);
  });

  test('is on the disk with each checkpoint, as metrics.jsonl is', async () => {
    const probe = await open(join(folder, 'probe'), 'w');
    await probe.close();
    const datasync = vi.spyOn(Object.getPrototypeOf(probe), 'datasync').mockResolvedValue(undefined);
    try {
      const checkpoint = { folder: join(folder, '.checkpoints'), everySteps: 3 };
      const counts: number[] = [];
      const handlers: FitHandler[] = [
        { epochEnd: () => void datasync.mockClear(), checkpointSaved: () => void datasync.mockClear() },
        new TensorBoardLog(folder),
        new MetricsLog(join(folder, '.metrics.jsonl')),
        { checkpointSaved: () => void counts.push(datasync.mock.calls.length) },
      ];
      await loggedRun(folder, { epochs: 1, checkpoint, handlers });
      expect(counts).toEqual([2, 2, 2]); // after steps 3, 6 and 7
    } finally {
      datasync.mockRestore();
    }
  });

  test('leaves no tensors behind', async () => {
    const { net, trainer, train, validation } = fitProblem(device);
    await fitNet(net, trainer, { train, validation, epochs: 1, device });
    await collectGarbage();
    const { tensors, bytes } = memory();
    await fitNet(net, trainer, { train, validation, epochs: 1, device, handlers: [new TensorBoardLog(folder)] });
    expect(memory()).toMatchObject({ tensors, bytes });
  });

  test('tells of a loss that went wrong', async () => {
    const log = new TensorBoardLog(folder);
    const run = { step: 3, options: {} } as FitRun; // one that goes on after step 3
    await log.trainBegin(run);
    await log.numericProblem(run, {
      ...{ epoch: 1, batch: 4, step: 4, loss: Number.NaN, layer: 'fc', action: 'skip', checkpoint: null },
    });
    const [[, session, problem] = []] = await eventFiles();
    expect(session).toMatchObject({ session: 1, step: 4 });
    expect(problem).toMatchObject({ tag: 'numeric-problem', step: 4 });
    expect(problem?.text).toContain('NaN in step 4, first in `fc`: skip');
  });

  test('does not use up an iterable that gives its batches once', async () => {
    const { train } = fitProblem(device);
    const batches = async function* () {
      yield* train;
    };
    const { history } = await run({ train: batches(), epochs: 1 });
    expect(history?.epochs[0]?.step).toBe(7);
  });

  test.each([
    ['an empty folder', () => new TensorBoardLog('')],
    ['everySteps 0', () => new TensorBoardLog('x', { everySteps: 0 })],
    ['an unknown option', () => new TensorBoardLog('x', { every: 1 } as object)],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow(ConfigError);
  });
});
