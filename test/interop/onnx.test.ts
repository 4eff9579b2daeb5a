// The file that exportOnnx writes, its options, and what it refuses.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cpu,
  interop,
  memory,
  models,
  nn,
  ops,
  setDevice,
  setPrecision,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from '../../lib/index.js';
import { OnnxGraph } from '../../lib/interop/onnx/graph.js';
import { writeModel } from '../../lib/interop/onnx/model-file.js';
import { packageVersion } from '../../lib/version.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { supports, testDevices } from '../helpers/devices.js';
import { type ErrorCode, expectResiduaError, rejectionOf } from '../helpers/errors.js';
import { FunctionNet } from './function-net.js';
import { readOnnx } from './onnx-file.js';
import { difference, ExportedNet } from './onnx-session.js';
import { randomizeNorms } from './random-norms.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();
const inputShape = [1, 3, 8, 8];

/** A convolution, BatchNorm and ReLU, a residual sum, a classifier of 4 classes. */
function smallNet(device = cpu()): nn.Sequential {
  const net = new nn.Sequential().add(
    new nn.Conv2D(6, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm(),
    new nn.Activation('relu'),
    new nn.Residual(6),
    new nn.Dropout(0.5),
    new nn.GlobalAvgPool2D(),
    new nn.Dense(4),
  );
  net.initialize({ device });
  net.forward(zeros(inputShape, { device })).dispose();
  randomizeNorms(net);
  return net;
}

async function refuses(promise: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  expectResiduaError(await rejectionOf(promise), code, [message]);
}

async function exported(net: nn.Block, options: Partial<interop.ExportOnnxOptions> = {}, name = 'file.onnx') {
  const file = join(folder, name);
  await interop.exportOnnx(net, file, { inputShape, ...options });
  return { file, bytes: readFileSync(file), ...readOnnx(readFileSync(file)) };
}

describe('the file', () => {
  test('has the version of the format, the producer and the name', async () => {
    const { irVersion, opset, producer, name } = await exported(smallNet(), { name: 'small' });
    expect({ irVersion, opset, producer, name }).toEqual({
      irVersion: 8,
      opset: [18],
      producer: ['residua', packageVersion()],
      name: 'small',
    });
  });

  test('has class names, normalisation and input size as metadata', async () => {
    const classNames = ['a "quoted" name', 'b', 'c', 'ä'];
    const normalization = { mean: [0.1, 0.2, 0.3], std: [1, 2, 0.5] };
    const { metadata } = await exported(smallNet(), { classNames, normalization });
    expect(Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, JSON.parse(value)]))).toEqual({
      class_names: classNames,
      normalization_mean: normalization.mean,
      normalization_std: normalization.std,
      input_size: [3, 8, 8],
    });
  });

  test('without them it has the input size alone', async () => {
    expect((await exported(smallNet())).metadata).toEqual({ input_size: '[3,8,8]' });
  });

  test('names weights and operators by the layers', async () => {
    const { initializers, nodeNames } = await exported(smallNet(), { batchNorm: 'keep' });
    expect(initializers).toEqual(
      expect.arrayContaining(['0.weight', '1.gamma', '3.conv1.weight', '3.bn2.runningVar', '6.bias']),
    );
    expect(nodeNames).toEqual(
      expect.arrayContaining(['0/Conv', '1/BatchNormalization', '3.conv2/Conv', '3/Add', '6/Gemm']),
    );
  });

  test('a folded BatchNorm leaves no operator and no parameters of its own', async () => {
    const { initializers, opTypes } = await exported(smallNet());
    expect(opTypes).not.toContain('BatchNormalization');
    expect(initializers.filter((name) => /gamma|beta|running/.test(name))).toEqual([]);
  });

  test.runIf(supports(cpu(), 'bfloat16'))('is the same in mixed precision and hybridized', async () => {
    const net = smallNet();
    const plain = await exported(net);
    setPrecision('bfloat16');
    try {
      net.hybridize();
      net.forward(zeros(inputShape)); // ops that wait
      expect((await exported(net, {}, 'mixed.onnx')).bytes.equals(plain.bytes)).toBe(true);
    } finally {
      setPrecision('float32');
    }
  });

  test('has the parameters as they are at the time of the call', async () => {
    const net = smallNet();
    const before = await exported(net);
    const writing = exported(net, {}, 'later.onnx');
    for (const parameter of net.collectParams().values()) parameter.setData(new Float32Array(parameter.data().size));
    expect((await writing).bytes.equals(before.bytes)).toBe(true);
  });

  test('leaves no tensors behind', async () => {
    const net = smallNet();
    await exported(net);
    await collectGarbage();
    const before = memory();
    await exported(net);
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });
});

describe('batches', () => {
  test('one for all: the file takes this one alone', async () => {
    const net = await ExportedNet.make(smallNet(), folder, { inputShape: [2, 3, 8, 8], dynamicBatch: false });
    expect(difference(await net.run([2, 3, 8, 8]))).toBeLessThan(1e-5);
    await expect(net.run([3, 3, 8, 8])).rejects.toThrow(/dimension/i);
    await net.close();
  });

  test('a net that does something else for another batch is exported for one alone', async () => {
    const byRow = new FunctionNet((x) => x.mul(tensor(Array.from(x.shape, (n) => n))));
    await refuses(
      interop.exportOnnx(byRow, join(folder, 'x.onnx'), { inputShape: [1, 2] }),
      'CONFIG_ERROR',
      /constants that are others/,
    );
    const byOps = new FunctionNet((x) => (x.shape[0] === 3 ? x.relu() : x.mul(2)));
    await refuses(
      interop.exportOnnx(byOps, join(folder, 'x.onnx'), { inputShape: [1, 2] }),
      'CONFIG_ERROR',
      /other ops/,
    );
    const bySize = new FunctionNet((x) => ops.broadcastTo(x.sum(), [(x.shape[0] as number) + 1, 2]));
    await refuses(
      interop.exportOnnx(bySize, join(folder, 'x.onnx'), { inputShape: [1, 2] }),
      'CONFIG_ERROR',
      /3 for a batch of 2 and 4/,
    );
    const net = await ExportedNet.make(bySize, folder, { inputShape: [5, 2], dynamicBatch: false });
    expect(difference(await net.run([5, 2]))).toBeLessThan(1e-5);
    await net.close();
  });
});

describe.each(testDevices)('a net on %s', (device) => {
  test('is exported from there', async () => {
    setDevice(device);
    try {
      const net = await ExportedNet.make(smallNet(device), folder, { inputShape });
      expect(difference(await net.run([2, 3, 8, 8]))).toBeLessThan(1e-5);
      await net.close();
    } finally {
      setDevice(cpu());
    }
  });
});

describe('refusals leave the file as it was', () => {
  const file = (): string => {
    const path = join(folder, 'refused.onnx');
    writeFileSync(path, 'before');
    return path;
  };

  class InLayers extends nn.Block {
    first = new nn.Dense(4, { inUnits: 4 });
    inner = new FunctionNet((x) => ops.gatherRows(x, tensor([0], { dtype: 'int32' })));
    forward(x: Tensor): Tensor {
      return this.inner.forward(this.first.forward(x));
    }
  }

  const unchanged = (x: Tensor): Tensor => {
    x.mul(2);
    return x;
  };
  const plain = (fn: (x: Tensor) => Tensor) => (): nn.Block => new FunctionNet(fn);
  const cases: [string, () => nn.Block, RegExp][] = [
    [
      'an op without a form in ONNX',
      () => new InLayers(),
      /op 'gatherRows' of layer inner cannot be expressed in ONNX/,
    ],
    [
      'the same outside of layers',
      plain((x) => ops.gatherRows(x, tensor([0], { dtype: 'int32' }))),
      /of the net itself/,
    ],
    ['half types', plain((x) => x.astype('bfloat16').add(1)), /op 'cast' .* it works on bfloat16/],
    [
      'statistics of the batch',
      plain((x) => ops.batchNorm(x, ...stats(4), { training: true })),
      /op 'batchNorm' .* only training does/,
    ],
    ['values that are read', plain((x) => x.mul(x.sum().item())), /where ops are recorded/],
    ['an output that no op makes', plain((x) => unchanged(x)), /made by no op/],
    ['a net that does not use its input', plain(() => zeros([1]).mul(2)), /uses its input/],
  ];
  const stats = (n: number): [Tensor, Tensor, Tensor, Tensor] => [zeros([n]), zeros([n]), zeros([n]), zeros([n])];

  test.each(cases)('%s', async (_, make, message) => {
    const net = make();
    net.initialize();
    const path = file();
    await refuses(interop.exportOnnx(net, path, { inputShape: [1, 4] }), 'CONFIG_ERROR', message);
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(tensor([1]).add(1).item()).toBe(2); // ops run again
  });

  test('a weight that is computed is not folded into', async () => {
    const weight = uniform([2, 3, 1, 1]);
    const net = new FunctionNet((x) => ops.batchNorm(ops.conv2d(x, weight.mul(2)), ...stats(2)));
    await refuses(interop.exportOnnx(net, file(), { inputShape }), 'CONFIG_ERROR', /batchNorm: 'keep'/);
    await interop.exportOnnx(net, file(), { inputShape, batchNorm: 'keep' });
  });

  test.each<[object, ErrorCode, RegExp]>([
    [{ inputShape: [1, 0, 8] }, 'SHAPE_ERROR', /inputShape/],
    [{ inputShape: [1, 5, 8, 8] }, 'SHAPE_ERROR', /in layer 0/],
    [{ inputShape, batchNorm: 'drop' }, 'CONFIG_ERROR', /batchNorm/],
    [{ inputShape, dynamicBatch: 1 }, 'CONFIG_ERROR', /dynamicBatch/],
    [{ inputShape, classNames: ['a'] }, 'CONFIG_ERROR', /4 class names/],
    [{ inputShape, classNames: [1, 2, 3, 4] }, 'CONFIG_ERROR', /classNames/],
    [{ inputShape, normalization: { mean: [0], std: [1] } }, 'CONFIG_ERROR', /normalization.mean.*3 numbers/],
    [{ inputShape, normalization: { mean: [0, 0, 0], std: [1, 1, 0] } }, 'CONFIG_ERROR', /std\[2\]/],
    [{ inputShape, name: 3 }, 'CONFIG_ERROR', /name/],
    [{ inputShape, opset: 17 }, 'CONFIG_ERROR', /opset/],
  ])('%j', async (options, code, message) => {
    const path = file();
    await refuses(interop.exportOnnx(smallNet(), path, options as never), code, message);
    expect(readFileSync(path, 'utf8')).toBe('before');
  });

  test('no net, a net without values, a folder that is not there', async () => {
    await refuses(interop.exportOnnx({} as never, file(), { inputShape }), 'CONFIG_ERROR', /Block/);
    await refuses(interop.exportOnnx(models.resnet18(), file(), { inputShape }), 'CONFIG_ERROR', /initialize/);
    await refuses(
      interop.exportOnnx(smallNet(), join(folder, 'none', 'x.onnx'), { inputShape }),
      'CHECKPOINT_ERROR',
      /none.x\.onnx/,
    );
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('more than the format holds', async () => {
    const graph = new OnnxGraph();
    const values = new Uint8Array(2 ** 27); // one piece of memory, seventeen times
    for (let i = 0; i < 17; i++) graph.addInitializer('w', { dtype: 'uint8', shape: [values.length], values });
    const info = { name: 'x', dtype: 'float32', shape: [1] } as const;
    const path = join(folder, 'large.onnx');
    const model = { name: 'n', graph, input: info, output: info, producerVersion: '1', metadata: {} };
    await refuses(writeModel(path, model), 'CONFIG_ERROR', /at most 2147483647 bytes/);
    expect(existsSync(path)).toBe(false);
  });
});
