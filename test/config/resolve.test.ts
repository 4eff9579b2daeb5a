// Layers of a config and its defaults.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { trainKind } from '../../lib/config/fields.js';
import { chooseDevice, type PartialTrainConfig, resolveConfig } from '../../lib/config/index.js';
import type { Kind } from '../../lib/config/kinds.js';
import { ConfigError } from '../../lib/index.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const folder = temporaryFolder();
const cpuRun = (config: PartialTrainConfig) => resolveConfig({ device: 'cpu' }, config);
const gpuRun = (config: PartialTrainConfig) => resolveConfig({ device: 'gpu' }, config);

describe('layers', () => {
  it('win over earlier ones key by key, null too, undefined not', () => {
    const config = cpuRun({});
    const resolved = resolveConfig(
      { device: 'cpu', optimizer: { momentum: 0.5, weightDecay: 0.25 }, mixup: 0.2, epochs: 7 },
      { optimizer: { momentum: 0.75 }, mixup: null, epochs: undefined },
    );
    expect(resolved.optimizer).toEqual({ ...config.optimizer, momentum: 0.75, weightDecay: 0.25 });
    expect([resolved.mixup, resolved.epochs]).toEqual([null, 7]);
  });

  it('replace lists', () => {
    const [first, second] = [{ schedule: { name: 'multi-step', at: [1, 2, 3] } }, { schedule: { at: [2] } }] as const;
    expect(resolveConfig({ device: 'cpu' }, first, second).schedule.at).toEqual([2]);
  });

  it('may be in short forms', () => {
    expect(cpuRun({ data: 'cifar10', schedule: 'polynomial', optimizer: 'sgd' })).toEqual(
      cpuRun({ data: { name: 'cifar10' }, schedule: { name: 'polynomial' }, optimizer: { name: 'sgd' } }),
    );
    expect(resolveConfig({ device: 'cpu', data: { size: 40 } }, { data: 'cifar10' }).data).toMatchObject({
      name: 'cifar10',
      size: 40,
    });
  });

  it('that name another model, schedule or data set leave behind what belonged to the earlier one', () => {
    const recipe: PartialTrainConfig = {
      device: 'cpu',
      model: 'resnet',
      modelOptions: { blocks: [1, 1] },
      weights: 'own.safetensors',
      schedule: { name: 'multi-step', at: [1, 2] },
      data: { name: 'mnist', root: '/mnist', limit: 10 },
    };
    const over = resolveConfig(recipe, { model: 'cifar-resnet20', schedule: 'cosine', data: 'fashion-mnist' });
    expect(over).toMatchObject({ model: 'cifar-resnet20', weights: null, modelOptions: { stem: 'cifar' } });
    expect(over.schedule).toMatchObject({ name: 'cosine', at: null });
    expect(over.data).toMatchObject({ name: 'fashion-mnist', root: null, limit: 10 });
    const same = resolveConfig(recipe, { model: 'resnet', schedule: 'multi-step', data: 'mnist' });
    expect(same).toEqual(resolveConfig(recipe));
  });

  it('that name another optimiser leave behind the rates of the earlier one', () => {
    const recipe: PartialTrainConfig = {
      data: 'cifar10',
      optimizer: { learningRate: 0.2, momentum: 0.8, nesterov: true, weightDecay: 5e-4, decayNorm: false, clipNorm: 1 },
    };
    const { optimizer } = resolveConfig({ device: 'cpu' }, recipe, { optimizer: 'adamw' });
    expect(optimizer).toEqual({
      name: 'adamw',
      ...{
        learningRate: 1e-3,
        momentum: 0,
        nesterov: false,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0.01,
      },
      ...{ decayNorm: false, clipNorm: 1 },
    });
    expect(cpuRun({ data: 'cifar10', optimizer: 'adamw', weights: 'own.safetensors' }).optimizer.learningRate).toBe(
      1e-4,
    );
    expect(cpuRun({ optimizer: 'adamw' }).optimizer).toMatchObject({ learningRate: 1e-3, weightDecay: 0.01 });
  });

  it('of a resolved config give the same again', () => {
    const config = cpuRun({ data: 'cifar10', augment: { colorJitter: { hue: 0.1 } }, normalize: 'imagenet' });
    expect(resolveConfig(config)).toEqual(config);
    expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
    expect(config.augment.colorJitter).toEqual({ brightness: 0, contrast: 0, saturation: 0, hue: 0.1 });
  });
});

describe('defaults', () => {
  it('are the chapter where nothing is said', () => {
    const chapter = {
      model: 'chapter-resnet18',
      modelOptions: {},
      batchSize: 256,
      normalize: null,
      optimizer: { learningRate: 0.05, momentum: 0, weightDecay: 0, nesterov: false, clipNorm: null },
      schedule: { name: 'constant', warmup: 0 },
      augment: { flip: false, crop: null, randomResizedCrop: null, colorJitter: null, cutout: null },
      accumulate: 1,
      labelSmoothing: 0,
      precision: 'float32',
    };
    expect(cpuRun({})).toMatchObject({ ...chapter, epochs: 3, data: { name: 'fashion-mnist', size: 28 } });
    expect(gpuRun({})).toMatchObject({ ...chapter, epochs: 5, data: { name: 'fashion-mnist', size: 96 } });
  });

  it('are usual ones for other nets', () => {
    expect(gpuRun({ model: 'resnet18' })).toMatchObject({
      modelOptions: { stem: 'cifar' },
      data: { size: 28 },
      normalize: 'dataset',
      optimizer: { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 },
      schedule: { name: 'cosine', warmup: 0.5 },
    });
  });

  it.each<[PartialTrainConfig, string, number, object]>([
    [{ data: 'mnist' }, 'chapter-resnet18', 28, {}],
    [{ data: 'cifar100' }, 'cifar-resnet20', 32, { stem: 'cifar' }],
    [{ data: 'synthetic' }, 'cifar-resnet20', 32, { stem: 'cifar' }],
    [{ data: 'folder:/none' }, 'resnet18', 224, {}],
    [{ data: { name: 'folder:/none', size: 64 } }, 'resnet18', 64, { stem: 'cifar' }],
    [{ data: { name: 'cifar10', size: 128 }, model: 'resnet50' }, 'resnet50', 128, {}],
  ])('of %j', (config, model, size, modelOptions) => {
    expect(cpuRun(config)).toMatchObject({ model, data: { size } });
    expect(cpuRun(config).modelOptions).toEqual(modelOptions);
  });

  it('keep the rate in proportion to the images of a step', () => {
    const rate = (config: PartialTrainConfig) => cpuRun({ data: 'cifar10', ...config }).optimizer.learningRate;
    expect(rate({ batchSize: 256 })).toBeCloseTo(0.1, 12);
    expect(rate({ batchSize: 64, accumulate: 8 })).toBeCloseTo(0.2, 12);
    expect(rate({ batchSize: 256, weights: 'a.pth' })).toBeCloseTo(0.01, 12);
    expect(rate({ optimizer: { learningRate: 3 } })).toBe(3);
  });

  it('of one-cycle are those of PyTorch', () => {
    const { schedule } = cpuRun({ schedule: 'one-cycle', epochs: 20 });
    expect(schedule).toMatchObject({ warmup: 6, warmupFrom: 0.04 });
    expect(schedule.final).toBeCloseTo(4e-6, 12);
  });

  it('split a folder without images for validation', () => {
    const [plain, split] = [join(folder, 'plain'), join(folder, 'split')];
    for (const path of [
      join(plain, 'cat'),
      join(plain, 'train'),
      join(split, 'train', 'cat'),
      join(split, 'val', 'cat'),
    ])
      mkdirSync(path, { recursive: true });
    expect(cpuRun({ data: `folder:${plain}` }).data.validation).toBe(0.2);
    expect(cpuRun({ data: `folder:${split}` }).data.validation).toBeNull();
    expect(cpuRun({ data: { name: `folder:${plain}`, validation: null } }).data.validation).toBeNull();
  });

  it('leave no key of the table open but options of the net', () => {
    const check = (kind: Kind, value: unknown, path: string): void => {
      if (kind.is !== 'group' || path === 'modelOptions') return;
      for (const [key, field] of Object.entries(kind.fields)) {
        const inner = (value as Record<string, unknown>)[key];
        expect(inner, `${path}.${key}`).not.toBeUndefined();
        check(field.kind, inner, key);
      }
    };
    for (const data of ['fashion-mnist', 'cifar10', 'synthetic', 'folder:/none'] as const)
      check(trainKind, cpuRun({ data }), '');
  });
});

describe('a config that does not fit together', () => {
  it.each<[PartialTrainConfig, string, RegExp]>([
    [{ schedule: 'step' }, 'schedule.at', /expected the epochs between two decays, a number, .*got null/],
    [{ schedule: 'multi-step', epochs: 8 }, 'schedule.at', /a rising list such as \[4, 6\], .*got null/],
    [{ schedule: { name: 'multi-step', at: [3, 2] } }, 'schedule.at', /a rising list .*got \[3,2\]/],
    [{ schedule: { name: 'multi-step', at: 3 } }, 'schedule.at', /a rising list .*got 3/],
    [{ schedule: { name: 'cosine', at: 3 } }, 'schedule.at', /expected null for the schedule 'cosine'.*'step'/],
    [{ schedule: { name: 'cosine', warmup: 3 }, epochs: 3 }, 'schedule.warmup', /fewer epochs .* 3, got 3/],
    [{ optimizer: { nesterov: true } }, 'optimizer.nesterov', /momentum above 0 with nesterov/],
    [{ augment: { crop: 2, randomResizedCrop: [0.5, 1] } }, 'augment.crop', /null beside randomResizedCrop/],
    [{ augment: { randomResizedCrop: [1, 0.5] } }, 'augment.randomResizedCrop', /\[smallest, largest\]/],
    [{ model: 'resnet' }, 'modelOptions.blocks', /such as \[1, 2, 2\], got none/],
    [{ model: 'resnet18', modelOptions: { blocks: [1] } }, 'modelOptions.blocks', /expected none for resnet18/],
    [{ normalize: { mean: [0, 0], std: [1] } }, 'normalize', /as many values of mean as of std.*got 2 and 1/],
    [{ normalize: { mean: [0] } }, 'normalize', /got 1 and no/],
    [{ epochs: -1 }, 'epochs', /The config: epochs: expected a whole number of at least 1, got -1\./],
    [{ data: { nam: 'x' } as object }, 'data.nam', /unknown key 'nam' in data: did you mean 'name'/],
  ])('refuses %j', (config, argument, message) => {
    expect(() => cpuRun(config)).toThrow(ConfigError);
    expect(() => cpuRun(config)).toThrow(message);
    expect(() => cpuRun(config)).toThrow(expect.objectContaining({ details: expect.objectContaining({ argument }) }));
  });
});

describe('chooseDevice', () => {
  const before = process.env.RESIDUA_DEVICE;
  afterEach(() => {
    if (before === undefined) delete process.env.RESIDUA_DEVICE;
    else process.env.RESIDUA_DEVICE = before;
  });

  it('takes a name, else RESIDUA_DEVICE', () => {
    expect(chooseDevice('gpu').name).toBe('gpu(0)');
    expect(chooseDevice('gpu(1)').name).toBe('gpu(1)');
    process.env.RESIDUA_DEVICE = 'cpu';
    expect(chooseDevice(null).name).toBe('cpu');
    expect(() => chooseDevice('tpu')).toThrow(/'tpu'/);
  });
});
