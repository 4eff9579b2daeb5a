// residua export from outside: a run's net as ONNX and as safetensors, other people's weights, refusals.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { data, interop, models, type nn, tensor } from '../../lib/index.js';
import { uniformValues } from '../helpers/values.js';
import { readOnnx } from '../interop/onnx-file.js';
import { randomizeNorms } from '../interop/random-norms.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = temporaryFolder();
const run = join(folder, 'run');
const cifarWeights = join(folder, 'cifar.safetensors');

beforeAll(async () => {
  const { status, stderr } = await residua([
    'train',
    '--limit',
    '32',
    '--epochs',
    '1',
    '--batch-size',
    '32',
    '--out',
    run,
  ]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const net = models.cifarResNet(20, { classes: 7 });
  net.initialize();
  randomizeNorms(net);
  await interop.saveWeights(net, cifarWeights, { names: 'torchvision' });
});

/** The logits of onnxruntime and of the net. */
async function compare(file: string, net: nn.Block, shape: number[]): Promise<void> {
  const values = uniformValues(
    shape.reduce((n, d) => n * d, 1),
    1,
  );
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const { output } = await session.run({ input: new OrtTensor('float32', values, shape) });
  const ours = await net.forward(tensor(values, { shape })).data();
  const theirs = output?.data as Float32Array;
  expect(theirs.length).toBe(ours.length);
  for (const [i, logit] of theirs.entries()) expect(Math.abs(logit - (ours[i] as number))).toBeLessThan(1e-4);
  await session.release();
}

describe('a run', () => {
  async function netOfRun(): Promise<nn.Block> {
    const net = models.chapterResNet18();
    await net.loadParameters(join(run, 'weights.safetensors'));
    return net;
  }

  test('as ONNX: logits, class names and input size', async () => {
    const out = join(folder, 'run.onnx');
    const { status, stdout, stderr } = await residua(['export', run, '--format', 'onnx', '--out', out]);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: '',
      stderr: `Wrote ${out}: chapter-resnet18, 11,186,186 parameters, input 1x28x28.\n`,
    });
    await compare(out, await netOfRun(), [3, 1, 28, 28]);
    const { metadata, name, opTypes } = readOnnx(readFileSync(out));
    expect(name).toBe('chapter-resnet18');
    expect(opTypes).not.toContain('BatchNormalization');
    expect(Object.keys(metadata).sort()).toEqual(['class_names', 'input_size']);
    expect(JSON.parse(metadata.class_names as string)).toEqual(data.fashionMnistLabels);
    expect(metadata.input_size).toBe('[1,28,28]');
  });

  test('from its file of weights, with BatchNorm kept', async () => {
    const out = join(folder, 'kept.onnx');
    const weights = join(run, 'weights.safetensors');
    const ended = await residua(['export', weights, '--format', 'onnx', '--out', out, '--batch-norm', 'keep']);
    expect(ended).toMatchObject({ status: 0 });
    expect(readOnnx(readFileSync(out)).opTypes.filter((type) => type === 'BatchNormalization')).toHaveLength(17);
    await compare(out, await netOfRun(), [2, 1, 28, 28]);
  });

  test('as safetensors: the same weights', async () => {
    const out = join(folder, 'run.safetensors');
    expect(await residua(['export', run, '--format', 'safetensors', '--out', out])).toMatchObject({ status: 0 });
    expect(readFileSync(out).equals(readFileSync(join(run, 'weights.safetensors')))).toBe(true);
  });
});

describe("a file of weights and the net's name", () => {
  const model = ['--model', 'cifar-resnet20'];

  async function cifar(): Promise<nn.Block> {
    const net = models.cifarResNet(20, { classes: 7 });
    net.initialize();
    await interop.loadWeights(net, cifarWeights);
    return net;
  }

  test('as ONNX: the classes are those of the file, normalisation and names those of the options', async () => {
    const out = join(folder, 'cifar.onnx');
    const classes = join(folder, 'classes.txt');
    writeFileSync(classes, 'a\nb\nc\nd\ne\nf\ng g\n');
    const options = ['--classes', classes, '--mean', '0.5,0.4,0.3', '--std', '0.2,0.2,0.1', '--size', '40'];
    const ended = await residua(['export', cifarWeights, ...model, '--format', 'onnx', '--out', out, ...options]);
    expect(ended).toMatchObject({ status: 0 });
    await compare(out, await cifar(), [1, 3, 40, 40]);
    const { metadata } = readOnnx(readFileSync(out));
    expect(metadata).toEqual({
      input_size: '[3,40,40]',
      class_names: '["a","b","c","d","e","f","g g"]',
      normalization_mean: '[0.5,0.4,0.3]',
      normalization_std: '[0.2,0.2,0.1]',
    });
  });

  test("as safetensors with torchvision's names, and with ours", async () => {
    const theirs = join(folder, 'theirs.safetensors');
    const ours = join(folder, 'ours.safetensors');
    const command = ['export', cifarWeights, ...model, '--format', 'safetensors'];
    expect(await residua([...command, '--out', theirs, '--names', 'torchvision'])).toMatchObject({ status: 0 });
    expect(readFileSync(theirs).equals(readFileSync(cifarWeights))).toBe(true);
    expect(await residua([...command, '--out', ours])).toMatchObject({ status: 0 });
    const net = models.cifarResNet(20, { classes: 7 });
    await net.loadParameters(ours);
    const x = tensor(uniformValues(3 * 32 * 32, 5), { shape: [1, 3, 32, 32] });
    expect(await net.forward(x).data()).toEqual(await (await cifar()).forward(x).data());
  });
});

describe('refusals', () => {
  const out = join(folder, 'refused');

  test.each([
    [['--out', out], '--format'],
    [['--format', 'onnx'], '--out'],
    [['--format', 'tflite', '--out', out], '--format'],
    [['--format', 'onnx', '--out', out, '--names', 'torchvision'], '--names'],
    [['--format', 'safetensors', '--out', out, '--batch-norm', 'keep'], '--batch-norm'],
    [['--format', 'onnx', '--out', out, '--mean', '0.5,x'], '--mean'],
    [['--format', 'onnx', '--out', out, '--std', '0,1,1'], '--std'],
    [['--format', 'onnx', '--out', out, '--model', 'resnet19'], "Did you mean 'resnet18'?"],
  ])('%j: status 2', async (args, named) => {
    const { status, stdout, stderr } = await residua(['export', run, ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(existsSync(out)).toBe(false);
  });

  test.each([
    [['/nowhere'], '/nowhere'],
    [[cifarWeights], '--model'],
    [[cifarWeights, '--model', 'chapter-resnet18'], '--model'],
    [[cifarWeights, '--model', 'cifar-resnet32'], cifarWeights],
    [[cifarWeights, '--model', 'cifar-resnet20', '--mean', '0.5', '--std', '0.5'], '3 numbers'],
    [[cifarWeights, '--model', 'cifar-resnet20', '--classes', cifarWeights], '7 class names'],
    [[run, '--size', '32'], '--model'],
  ])('%j: status 1', async (args, named) => {
    const { status, stdout, stderr } = await residua(['export', ...args, '--format', 'onnx', '--out', out]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('should not happen');
    expect(existsSync(out)).toBe(false);
  });

  test('a place that cannot be written to', async () => {
    const { status, stderr } = await residua(['export', run, '--format', 'onnx', '--out', '/dev/null/net.onnx']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: \/dev\/null\/net\.onnx: cannot be written: [^\n]+\n$/);
  });
});
