// Every recipe is read, resolved and built: net, trainer and a step; images are made up where there are none.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { netOf } from '../../lib/cli/build-net.js';
import {
  type BuiltRun,
  buildRun,
  type PartialTrainConfig,
  readConfigFile,
  resolveConfig,
} from '../../lib/config/index.js';
import { schedulerOf } from '../../lib/config/schedule.js';
import { cpu, type FitHandler, fit as fitNet } from '../../lib/index.js';

const folder = fileURLToPath(new URL('../../recipes/', import.meta.url));
const read = (name: string) => resolveConfig(readConfigFile(`${folder}${name}`), { device: 'cpu' });

/** Trainable parameters for three channels and ten classes: PyTorch's, but for the second net, counted by hand. */
const parameters: Record<string, number> = {
  'chapter.yaml': 11_184_650,
  'cifar10.yaml': 269_722,
  'fashion-mnist.yaml': 678_058,
  'imagenet.yaml': 23_528_522,
};

/** With few small images. */
const built = (name: string, layer: PartialTrainConfig = {}): Promise<BuiltRun> => {
  const data = {
    name: 'synthetic',
    root: null,
    size: name === 'imagenet.yaml' ? 96 : 28,
    limit: 4,
    workers: 0,
  } as const;
  const few = { device: 'cpu', tune: false, batchSize: 2, data };
  return buildRun(resolveConfig(readConfigFile(`${folder}${name}`), few, layer), { device: cpu() });
};

describe('recipes', () => {
  it.each(Object.keys(parameters))('%s builds and trains for a step', async (name) => {
    // The step of a net of the same blocks, but fewer channels.
    const widths = { 'cifar10.yaml': [4, 8, 16], 'fashion-mnist.yaml': [4, 8, 16], 'imagenet.yaml': [4, 8, 16, 32] }[
      name
    ];
    const { net, trainer, fitOptions, record } = await built(name, { modelOptions: { widths } });
    const losses: number[] = [];
    const oneStep: FitHandler = {
      batchEnd: (run, { loss }) => {
        losses.push(loss);
        run.stop('after a step');
      },
    };
    await fitNet(net, trainer, { ...fitOptions, handlers: [oneStep] });
    expect(losses).toEqual([expect.closeTo(2.5, -1)]); // finite, of the size of ln(10)
    const whole = widths ? netOf({ ...record, options: read(name).modelOptions }) : net;
    const trained = [...whole.collectParams().values()].filter(({ trainable }) => trainable);
    expect(trained.reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0)).toBe(parameters[name]);
  });

  it('are those that are tested here', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(names.sort()).toEqual(Object.keys(parameters));
  });

  it('chapter.yaml is what the command does on a GPU', () => {
    const { device: _, ...chapter } = read('chapter.yaml');
    const { device: __, ...plain } = resolveConfig({ device: 'gpu' });
    expect(chapter).toEqual(plain);
  });

  it('cifar10.yaml decays after 32,000 and 48,000 of 64,000 steps, about', () => {
    const scheduler = schedulerOf(read('cifar10.yaml'), Math.ceil(50_000 / 128));
    const rates = [32_000, 32_100, 48_000, 48_100].map((step) => scheduler?.at(step) as number);
    for (const [i, rate] of [0.1, 0.01, 0.01, 0.001].entries()) expect(rates[i]).toBeCloseTo(rate, 12);
  });

  it('imagenet.yaml has the hyper-parameters of torchvision', () => {
    const config = read('imagenet.yaml');
    expect(config).toMatchObject({ model: 'resnet50', epochs: 90, batchSize: 256, normalize: 'imagenet' });
    expect(config.optimizer).toMatchObject({ learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4, nesterov: false });
    const scheduler = schedulerOf(config, 10);
    for (const [epoch, rate] of [
      [29, 0.1],
      [31, 0.01],
      [61, 0.001],
      [89, 0.001],
    ] as const)
      expect(scheduler?.at(epoch * 10)).toBeCloseTo(rate, 12);
  });
});
