// What a config builds: data, batches, net, trainer, options of fit.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { netOf } from '../../lib/cli/build-net.js';
import { type BuiltRun, buildRun, type PartialTrainConfig, resolveConfig } from '../../lib/config/index.js';
import { ConfigError, cpu, data, fit as fitNet, init, models, type nn, seed, type Tensor } from '../../lib/index.js';
import { writeImageTree } from '../data/image-tree.js';
import { supports } from '../helpers/devices.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { bitsOf } from '../train/fit-problem.js';

const folder = temporaryFolder();
const small: PartialTrainConfig = {
  device: 'cpu',
  tune: false,
  model: 'resnet',
  modelOptions: { blocks: [1, 1], widths: [4, 8] },
  data: { name: 'synthetic', size: 8, limit: 40, workers: 0 },
  batchSize: 8,
  epochs: 2,
};
const built: BuiltRun[] = [];

async function build(...layers: PartialTrainConfig[]): Promise<BuiltRun> {
  const run = await buildRun(resolveConfig(small, ...layers), { device: cpu() });
  built.push(run);
  return run;
}

afterEach(async () => {
  for (const { train, validation } of built.splice(0)) await Promise.all([train.dispose(), validation?.dispose()]);
});

/** [pixels, labels] of all batches of the next epoch. */
async function read(loader: AsyncIterable<readonly [Tensor, Tensor]> | null): Promise<[number[][], number[]]> {
  const [pixels, labels]: [number[][], number[]] = [[], []];
  for await (const [X, y] of loader ?? []) {
    pixels.push([...X.dataSync()]);
    labels.push(...y.dataSync());
    X.dispose();
    y.dispose();
  }
  return [pixels, labels];
}

describe('the chapter', () => {
  it('is what it is without a config: the same first weights, the same batches', async () => {
    const { net, train, validation, testSet, record, fitOptions } = await buildRun(
      resolveConfig({ device: 'cpu', data: { limit: 64 }, batchSize: 32 }),
      { device: cpu() },
    );
    seed(0);
    const [trainIter, testIter] = await data.loadDataFashionMnist(32, { resize: 28, limit: 64 });
    const chapter = models.chapterResNet18({ classes: 10 });
    chapter.initialize({ init: new init.Xavier() });
    expect(await read(train)).toEqual(await read(trainIter));
    expect(await read(validation)).toEqual(await read(testIter));
    expect(testSet?.length).toBe(11);
    for (const one of [net, chapter]) for await (const [X] of testIter) one.forward(X);
    expect(bitsOf(net)).toEqual(bitsOf(chapter));
    expect(record).toMatchObject({ model: 'chapter-resnet18', classes: 10, inputShape: [1, 28, 28], resize: 28 });
    expect(record.normalization).toBeUndefined();
    expect(fitOptions).toMatchObject({ epochs: 3, accumulate: 1, precision: 'float32', onNan: 'stop' });
  }, 120_000);
});

describe('images in memory', () => {
  it('are augmented and normalised for training, only normalised for validation', async () => {
    const augment = { flip: true, crop: 2, cutout: 3 };
    const { train, validation, testSet } = await build({ seed: 5, augment, data: { size: 8 } });
    seed(5);
    const all = data.synthetic({ length: 50, shape: [3, 8, 8] });
    const last = data.transforms.normalize([0.498, 0.498, 0.498], [0.204, 0.204, 0.204]);
    const { randomCrop, randomHorizontalFlip, cutout } = data.transforms;
    const transform = [randomCrop(8, { padding: 2 }), randomHorizontalFlip(), cutout(3), last];
    const plain = new data.DataLoader(all.take(40), { batchSize: 8, shuffle: true, transform });
    const test = all.subset(Array.from({ length: 10 }, (_, i) => 40 + i));
    expect(await read(train)).toEqual(await read(plain));
    expect(await read(validation)).toEqual(
      await read(new data.DataLoader(test, { batchSize: 8, transform: last, resize: 8 })),
    );
    expect(testSet?.length).toBe(10);
  });

  it('have the mean and deviation that are named', async () => {
    const { train } = await build({ data: { name: 'synthetic', size: 16, limit: 512 }, augment: { flip: false } });
    const values = (await read(train))[0].flat();
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(1, 1);
  });

  it('of Fashion-MNIST too', async () => {
    const { images } = await data.fashionMnist({ train: true });
    let [sum, squares] = [0, 0];
    for (const pixel of images) {
      sum += pixel / 255;
      squares += (pixel / 255) ** 2;
    }
    const mean = sum / images.length;
    const { record } = await build({ data: { name: 'fashion-mnist', size: 28, limit: 12 } });
    expect(record.normalization?.mean[0]).toBeCloseTo(mean, 3);
    expect(record.normalization?.std[0]).toBeCloseTo(Math.sqrt(squares / images.length - mean ** 2), 3);
  });

  it('are split, balanced and resized as asked', async () => {
    const { train, validation, testSet } = await build({
      data: { validation: 0.25, balanced: true, size: 12, limit: 40 },
      augment: { randomResizedCrop: [0.5, 1], crop: null },
    });
    expect([train.dataset.length, validation?.dataset.length, testSet?.length]).toEqual([30, 10, 10]);
    expect([...train.size, ...(validation?.size ?? [])]).toEqual([12, 12, 12, 12]);
    const counts = new Array(10).fill(0);
    for (const label of (await read(train))[1]) counts[label] += 1;
    expect(counts).toEqual(new Array(10).fill(3));
  });

  it('refuse a normalisation of other channels', async () => {
    await expect(build({ normalize: { mean: [0.5], std: [0.5] } })).rejects.toThrow(
      /normalize: expected 3 values, one a channel of synthetic, got 1/,
    );
  });
});

describe('images in folders', () => {
  const root = join(folder, 'tree');
  beforeAll(async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {}); // broken images are told
    mkdirSync(root);
    await writeImageTree(root);
    await writeImageTree(join(folder, 'split', 'train'));
    await writeImageTree(join(folder, 'split', 'val'));
  });
  const folderData = (path: string, more: object = {}): PartialTrainConfig => ({
    data: { name: `folder:${path}`, size: 16, workers: 0, ...more },
  });

  it('are split, and broken ones left out', async () => {
    const { train, validation, record, fitOptions } = await build(folderData(root, { limit: null, validation: 0.3 }));
    expect(record).toMatchObject({
      classes: 3,
      classNames: ['animals/cat', 'animals/dog', 'plane'],
      inputShape: [3, 16, 16],
      resize: 18,
      normalization: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    });
    expect(train.dataset.length + (validation?.dataset.length ?? 0)).toBe(14);
    const labels = [...(await read(train))[1], ...(await read(validation))[1]];
    expect(labels.length).toBe(12);
    expect(fitOptions.validation).toBe(validation);
    expect(process.emitWarning).toHaveBeenCalledTimes(2);
  });

  it('are in train and val, with the classes of train', async () => {
    const { train, validation, testSet } = await build(folderData(join(folder, 'split'), { limit: null }));
    expect([train.dataset.length, validation?.dataset.length]).toEqual([14, 14]);
    expect(testSet).toBe(validation?.dataset);
    expect(validation?.dataset.classNames).toEqual(train.dataset.classNames);
  });

  it('are resized and cut in the middle for validation', async () => {
    const { validation } = await build(folderData(join(folder, 'split'), { limit: null }), { normalize: null });
    const { resizeShorter, centerCrop } = data.transforms;
    const files = await data.imageFolder(join(folder, 'split', 'val'), { onBroken: 'skip' });
    const plain = new data.DataLoader(files, { batchSize: 8, transform: [resizeShorter(18), centerCrop(16)] });
    expect(await read(validation)).toEqual(await read(plain));
  });

  it('are limited evenly over the classes', async () => {
    const { train } = await build(folderData(root, { limit: 7, validation: null }));
    expect([...train.dataset.labels]).toEqual([0, 0, 0, 0, 1, 1, 2]);
  });

  it('of one class, or a file in their place, are refused', async () => {
    cpSync(join(root, 'plane'), join(folder, 'lone', 'plane'), { recursive: true });
    const lone = build(folderData(join(folder, 'lone'), { limit: null }));
    await expect(lone).rejects.toThrow(/lone: expected folders of at least 2 classes, found 1, 'plane'/);
    writeFileSync(join(folder, 'no-folder'), '');
    const file = build(folderData(join(folder, 'no-folder'), { limit: null }));
    await expect(file).rejects.toMatchObject({ code: 'DATA_ERROR', details: { file: join(folder, 'no-folder') } });
  });

  it('need no validation', async () => {
    const { validation, testSet, fitOptions } = await build(folderData(root, { validation: null }));
    expect([validation, testSet, fitOptions.validation]).toEqual([null, null, undefined]);
  });
});

describe('the net', () => {
  it('is of its own depth, and its record builds it again', async () => {
    const { net, record } = await build({ modelOptions: { version: 'v2' } });
    const shapes = (one: nn.Block) => [...one.collectParams()].map(([name, { shape }]) => [name, shape]);
    expect(shapes(net)).toContainEqual(['layer2.0.conv1.weight', [8, 4, 3, 3]]);
    expect(shapes(netOf(JSON.parse(JSON.stringify(record))))).toEqual(shapes(net));
  });

  it('begins from given weights, or is prepared by the caller', async () => {
    const { net } = await build({ seed: 1 });
    const file = join(folder, 'weights.safetensors');
    await net.saveParameters(file);
    const other = await build({ seed: 2 });
    expect(bitsOf(other.net)).not.toEqual(bitsOf(net));
    const loaded = await build({ seed: 2, weights: file });
    expect(bitsOf(loaded.net)).toEqual(bitsOf(net));
    let prepared: nn.Block | null = null;
    const config = resolveConfig(small, { seed: 2, weights: file });
    const run = await buildRun(config, {
      device: cpu(),
      prepareNet: async (given) => {
        prepared = given;
      },
    });
    expect(prepared).toBe(run.net);
    expect(bitsOf(run.net)).toEqual(bitsOf(other.net));
    await expect(build({ weights: join(folder, 'none.safetensors') })).rejects.toThrow(/none\.safetensors/);
  });

  it('refuses options that it does not have', async () => {
    const chapter = { model: 'chapter-resnet18', modelOptions: { widths: [8] } };
    await expect(build(chapter)).rejects.toThrow(ConfigError);
    await expect(build({ modelOptions: { widths: [8] } })).rejects.toThrow(/widths to be an array of 2 numbers/);
  });
});

describe('the trainer', () => {
  it('decays all parameters, or weights alone', async () => {
    const decays = ({ net }: BuiltRun) =>
      [...net.collectParams()].filter(([, { wdMult }]) => wdMult !== 0).map(([name]) => name);
    const all = await build();
    expect(decays(all)).toEqual([...all.net.collectParams().keys()]);
    const weights = decays(await build({ optimizer: { decayNorm: false } }));
    expect(weights).toContain('fc.weight');
    expect(weights.filter((name) => /gamma|beta|bias/.test(name))).toEqual([]);
  });

  it('has the schedule in steps: 5 batches an epoch, two of them a step', async () => {
    const { net, trainer, fitOptions } = await build({
      accumulate: 2,
      optimizer: { learningRate: 0.1, clipNorm: 5 },
      schedule: { name: 'step', at: 1, factor: 0.5 },
    });
    const rates: number[] = [];
    const handlers = [
      { batchEnd: (_: unknown, { learningRate }: { learningRate: number }) => void rates.push(learningRate) },
    ];
    await fitNet(net, trainer, { ...fitOptions, handlers });
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.05, 0.05, 0.05]);
  });
});

describe('the options of fit', () => {
  it('are those of the config', async () => {
    const { fitOptions, train } = await build({
      mixup: 0.2,
      seed: 9,
      averageDecay: 0.9,
      labelSmoothing: 0.1,
      accumulate: 3,
      onNan: 'skip',
    });
    expect(fitOptions).toMatchObject({
      train,
      epochs: 2,
      mixup: { alpha: 0.2, seed: 9 },
      averageDecay: 0.9,
      labelSmoothing: 0.1,
      accumulate: 3,
      onNan: 'skip',
      precision: 'float32',
    });
  });

  it.runIf(supports(cpu(), 'bfloat16'))('are in mixed precision where it asks for it', async () => {
    expect((await build({ precision: 'bfloat16' })).fitOptions.precision).toBe('bfloat16');
  });

  it("are in bfloat16 with precision 'auto' where the processor has it, else in float32", async () => {
    const { fitOptions } = await build({ precision: 'auto' });
    expect(fitOptions.precision).toBe(supports(cpu(), 'bfloat16') ? 'bfloat16' : 'float32');
  });

  it('train a net', async () => {
    const { net, trainer, fitOptions } = await build({
      epochs: 6,
      augment: { flip: false },
      optimizer: { learningRate: 0.1, clipNorm: 1 },
    });
    const { epochs } = await fitNet(net, trainer, fitOptions);
    expect(epochs.at(-1)?.loss).toBeLessThan((epochs[0]?.loss as number) * 0.9);
    expect(epochs.at(-1)?.validation?.images).toBe(10);
  });
});
