// The options of residua train: every field of a config has one, and they win over the file.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFromOptions } from '../../lib/cli/train/config-from-options.js';
import { addTrainOptions, type TrainOptions } from '../../lib/cli/train/options.js';
import { planRun, type RunPlan } from '../../lib/cli/train/plan.js';
import { resolveConfig } from '../../lib/config/index.js';
import { cpu } from '../../lib/index.js';
import { supports } from '../helpers/devices.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-options-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const makeCommand = (): Command =>
  addTrainOptions(new Command('train').argument('[recipe]').exitOverride())
    .configureOutput({ writeErr: () => {} })
    .option('--verbose');

const optionsOf = (...args: string[]): TrainOptions => makeCommand().parse(args, { from: 'user' }).opts();

function plan(...args: string[]): RunPlan {
  const command = makeCommand().parse([...args, '--device', 'cpu'], { from: 'user' });
  return planRun(command.args[0], command.opts(), command);
}

/** Every option that says something about a config, with what it comes to. */
const cases: readonly [readonly string[], object][] = [
  [['--model', 'resnet50'], { model: 'resnet50' }],
  [
    ['--model-option', 'widths=8,16', '--model-option', 'blocks=1', '--model-option', 'zeroInitResidual=true'],
    { modelOptions: { widths: [8, 16], blocks: [1], zeroInitResidual: true } },
  ],
  [['--weights', 'a.pth'], { weights: 'a.pth' }],
  [['--data', 'folder:my pictures'], { data: { name: 'folder:my pictures' } }],
  [['--data-root', '/d'], { data: { root: '/d' } }],
  [['--size', '64'], { data: { size: 64 } }],
  [['--resize', '65'], { data: { size: 65 } }],
  [['--validation', '0.1'], { data: { validation: 0.1 } }],
  [['--validation', 'none'], { data: { validation: null } }],
  [['--limit', '10'], { data: { limit: 10 } }],
  [['--limit', 'none'], { data: { limit: null } }],
  [['--balanced'], { data: { balanced: true } }],
  [['--no-balanced'], { data: { balanced: false } }],
  [['--workers', '0'], { data: { workers: 0 } }],
  [['--on-broken', 'skip'], { data: { onBroken: 'skip' } }],
  [['--download'], { data: { download: true } }],
  [['--no-flip'], { augment: { flip: false } }],
  [['--crop', '4'], { augment: { crop: 4 } }],
  [['--random-resized-crop', '0.08,1'], { augment: { randomResizedCrop: [0.08, 1] } }],
  [
    ['--color-jitter', '0.4,0.3,0.2,0.1'],
    { augment: { colorJitter: { brightness: 0.4, contrast: 0.3, saturation: 0.2, hue: 0.1 } } },
  ],
  [['--cutout', 'none'], { augment: { cutout: null } }],
  [['--normalize', 'none'], { normalize: null }],
  [['--normalize', '0.5/0.25'], { normalize: { mean: [0.5], std: [0.25] } }],
  [['--epochs', '7'], { epochs: 7 }],
  [['--batch-size', '9'], { batchSize: 9 }],
  [['--accumulate', '2'], { accumulate: 2 }],
  [['--optimizer', 'sgd'], { optimizer: { name: 'sgd' } }],
  [['--beta1', '0.8'], { optimizer: { beta1: 0.8 } }],
  [['--beta2', '0.99'], { optimizer: { beta2: 0.99 } }],
  [['--epsilon', '1e-6'], { optimizer: { epsilon: 1e-6 } }],
  [['--lr', '0.3'], { optimizer: { learningRate: 0.3 } }],
  [['--momentum', '0'], { optimizer: { momentum: 0 } }],
  [['--nesterov'], { optimizer: { nesterov: true } }],
  [['--weight-decay', '0'], { optimizer: { weightDecay: 0 } }],
  [['--no-decay-norm'], { optimizer: { decayNorm: false } }],
  [['--clip-norm', '1'], { optimizer: { clipNorm: 1 } }],
  [['--schedule', 'one-cycle'], { schedule: { name: 'one-cycle' } }],
  [['--warmup', '0.5'], { schedule: { warmup: 0.5 } }],
  [['--warmup-from', '0.1'], { schedule: { warmupFrom: 0.1 } }],
  [['--decay-at', '3'], { schedule: { at: 3 } }],
  [['--decay-at', '3,5'], { schedule: { at: [3, 5] } }],
  [['--decay-factor', '0.2'], { schedule: { factor: 0.2 } }],
  [['--power', '2'], { schedule: { power: 2 } }],
  [['--final-lr', '0'], { schedule: { final: 0 } }],
  [['--label-smoothing', '0.1'], { labelSmoothing: 0.1 }],
  [['--mixup', '0.2'], { mixup: 0.2 }],
  [['--average-decay', '0.99'], { averageDecay: 0.99 }],
  [['--early-stopping', '3'], { earlyStopping: 3 }],
  [['--on-nan', 'rollback'], { onNan: 'rollback' }],
  [['--device', 'gpu'], { device: 'gpu(0)' }],
  [['--precision', 'float32'], { precision: 'float32' }],
  [['--seed', '5'], { seed: 5 }],
  [['--no-tune'], { tune: false }],
  [['--keep-last', '1'], { checkpoint: { keepLast: 1 } }],
  [['--checkpoint-every', '100'], { checkpoint: { everySteps: 100 } }],
  [['--checkpoint-epochs', '2'], { checkpoint: { everyEpochs: 2 } }],
  [['--no-tensorboard'], { tensorboard: false }],
];

describe('one option', () => {
  test.each(cases)('%j', (args, layer) => expect(configFromOptions(optionsOf(...args))).toEqual(layer));

  test('none says nothing', () => expect(configFromOptions(optionsOf())).toEqual({}));

  test('or another for every field of a config', () => {
    const leaves = (value: object, path = ''): string[] =>
      Object.entries(value).flatMap(([key, inner]) => {
        const isGroup = ['data', 'augment', 'optimizer', 'schedule', 'checkpoint'].includes(key);
        return isGroup ? leaves(inner as object, `${key}.`) : [path + key];
      });
    const reached = new Set(cases.flatMap(([, layer]) => leaves(layer)));
    expect(leaves(resolveConfig({ device: 'cpu' })).filter((path) => !reached.has(path))).toEqual([]);
  });
});

describe('refused, with what was expected', () => {
  test.each([
    [['--data', '/photos'], 'folder:/photos'],
    [['--data', 'cifar'], 'cifar10'],
    [['--data', 'folder:'], 'folder:PATH'],
    [['--validation', '0'], 'above 0'],
    [['--validation', '1.5'], 'above 0'],
    [['--momentum', '2'], 'from 0 to 1'],
    [['--warmup', '-1'], 'at least 0'],
    [['--random-resized-crop', '0.5'], '2 numbers'],
    [['--random-resized-crop', '0.9,0.1'], 'smallest'],
    [['--color-jitter', '1,2,3'], '4 numbers'],
    [['--normalize', '0.5'], "'imagenet'"],
    [['--decay-at', 'x'], 'numbers'],
    [['--decay-at', '0'], 'above 0'],
    [['--model-option', 'widths'], 'name and a value'],
    [['--schedule', 'cosinus'], 'cosine'],
    [['--on-nan', 'ignore'], 'rollback'],
    [['--limit', 'nothing'], 'whole number'],
  ])('%j', (args, expected) => {
    expect(() => optionsOf(...args)).toThrow(expect.objectContaining({ message: expect.stringContaining(expected) }));
  });
});

describe('what options do not allow together names the option beside the key', () => {
  test.each([
    [['--schedule', 'step'], /^The config: schedule\.at \(--decay-at\): expected the epochs between two decays/],
    [
      ['--schedule', 'cosine', '--warmup', '5', '--epochs', '3'],
      /schedule\.warmup \(--warmup\): expected fewer epochs/,
    ],
    [['--nesterov', '--momentum', '0'], /optimizer\.nesterov \(--nesterov\): expected a momentum above 0/],
    [
      ['--optimizer', 'adamw', '--momentum', '0.9'],
      /optimizer\.momentum \(--momentum\): expected none for the optimizer 'adamw', .* got 0\.9/,
    ],
    [['--optimizer', 'adamw', '--nesterov'], /optimizer\.nesterov \(--nesterov\): expected none/],
    [['--beta1', '0.5'], /optimizer\.beta1 \(--beta1\): expected none for the optimizer 'sgd', got 0\.5/],
    [['--optimizer', 'adamw', '--beta2', '1'], /optimizer\.beta2 \(--beta2\): expected /],
    [['--crop', '4', '--random-resized-crop', '0.1,1'], /augment\.crop \(--crop\): expected null beside/],
    [['--validation', '1'], /data\.validation \(--validation\): expected /],
  ])('%j', (args, expected) => {
    expect(() => plan('--data', 'synthetic', ...args)).toThrow(expected);
  });
});

describe('layers', () => {
  const file = (): string => join(folder, 'config.yaml');
  beforeAll(() => {
    writeFileSync(
      file(),
      'model: cifar-resnet20\ndata: {name: synthetic, size: 16, limit: 100}\nepochs: 4\noptimizer: {learningRate: 0.3}\naugment: {flip: true}\n',
    );
  });

  test('the file over the defaults', () => {
    const { config } = plan(file());
    expect(config).toMatchObject({ model: 'cifar-resnet20', epochs: 4, data: { size: 16, limit: 100 } });
    expect(config.optimizer).toMatchObject({ learningRate: 0.3, momentum: 0.9 });
  });

  test('options over the file, key by key', () => {
    const { config } = plan(file(), '--lr', '0.2', '--limit', 'none', '--no-flip', '--batch-size', '8');
    expect(config).toMatchObject({ epochs: 4, batchSize: 8, augment: { flip: false } });
    expect(config.data).toMatchObject({ name: 'synthetic', size: 16, limit: null });
    expect(config.optimizer.learningRate).toBe(0.2);
  });

  test('without a file: the chapter on Fashion-MNIST, less of it on a CPU', () => {
    expect(plan().config).toMatchObject({
      model: 'chapter-resnet18',
      data: { name: 'fashion-mnist', size: 28 },
      epochs: 3,
      batchSize: 256,
      optimizer: { learningRate: 0.05, momentum: 0, weightDecay: 0 },
      normalize: null,
      device: 'cpu',
    });
  });

  test('recipes by name', () => {
    expect(plan('chapter').config).toMatchObject({ model: 'chapter-resnet18', data: { size: 96 }, epochs: 5 });
    const precision = supports(cpu(), 'bfloat16') ? 'bfloat16' : 'float32';
    const recipe = plan('fashion-mnist', '--epochs', '4', '--device', 'cpu').config;
    expect(recipe).toMatchObject({ precision, epochs: 4 });
  });

  test('another word is refused, with the recipe that was probably meant', () => {
    expect(() => plan('fashion')).toThrow(/Did you mean 'fashion-mnist'\?/);
    expect(() => plan('nowhere.yaml')).toThrow(/nowhere\.yaml: expected a config file/);
  });

  test('paths hold from any folder', () => {
    const { config } = plan('--data', 'folder:test', '--weights', 'w.pth', '--data-root', 'd', '--model', 'resnet18');
    expect(config.data.name).toBe(`folder:${join(process.cwd(), 'test')}`);
    expect([config.weights, config.data.root]).toEqual([join(process.cwd(), 'w.pth'), join(process.cwd(), 'd')]);
  });
});
