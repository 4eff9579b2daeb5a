// Times of ops: which are reported, their work, their groups.
import { describe, expect, test } from 'vitest';
import { gflopOf, groupOf, groupSums, groups, rowsOf } from '../../bench/profile/groups.js';
import { backendOf } from '../../lib/device.js';
import {
  autograd,
  init,
  loss,
  models,
  nn,
  type OpTime,
  ops,
  profile,
  Trainer,
  tensor,
  tidy,
  uniform,
} from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';

const op = (
  name: string,
  inputs: number[][],
  outputs: number[][],
  milliseconds = 1,
  reorderMilliseconds = 0,
): OpTime => ({
  op: name,
  inputs: inputs.map((shape) => ({ shape, dtype: 'float32' })),
  outputs: outputs.map((shape) => ({ shape, dtype: 'float32' })),
  algorithm: '',
  milliseconds,
  reorderMilliseconds,
});

async function trainingTimes(hybridize: boolean): Promise<OpTime[]> {
  const net = models.chapterResNet18();
  net.initialize({ init: new init.Xavier() });
  net.forward(uniform([1, 1, 32, 32])).dispose();
  if (hybridize) net.hybridize();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1 });
  const lossFn = new loss.SoftmaxCrossEntropyLoss();
  const [x, labels] = [uniform([2, 1, 32, 32]), tensor(Int32Array.of(0, 1))];
  return profile(() => {
    const losses = autograd.record(() => lossFn.forward(net.forward(x), labels));
    losses.backward();
    trainer.step(2);
    losses.dispose();
  });
}

describe('profile()', () => {
  test.each([false, true])('reports every op of a training step, hybridized: %s', async (hybridize) => {
    const times = await trainingTimes(hybridize);
    const count = (name: string): number => times.filter((time) => time.op === name).length;
    expect(count('conv2d')).toBe(20);
    expect(count('conv2dBackwardData')).toBe(19);
    expect(count('conv2dBackwardWeights')).toBe(20);
    expect(count('sgd')).toBe(1);
    for (const { milliseconds, reorderMilliseconds } of times) {
      expect(milliseconds).toBeGreaterThan(0);
      expect(reorderMilliseconds).toBeGreaterThanOrEqual(0);
      expect(reorderMilliseconds).toBeLessThanOrEqual(milliseconds);
    }
    const gflop = times.filter((time) => /^conv2d/.test(time.op)).reduce((sum, time) => sum + gflopOf(time), 0);
    expect(gflop).toBeGreaterThan(0);
  });

  test('names the algorithm, the shapes and the changes of layout', async () => {
    const [x, w] = [uniform([1, 16, 8, 8]), uniform([16, 16, 3, 3])];
    const times = await profile(() => ops.conv2d(x, w, null, { padding: 1 }).dispose());
    const conv = times.at(-1)!;
    expect(conv.op).toBe('conv2d');
    expect(conv.algorithm).toMatch(/\w/);
    expect(conv.inputs[0]).toEqual({ shape: [1, 16, 8, 8], dtype: 'float32' });
    expect(conv.outputs).toEqual([{ shape: [1, 16, 8, 8], dtype: 'float32' }]);
    const own = await profile(() => tidy(() => void ops.sum(x)));
    expect(own.map((time) => [time.op, time.algorithm, time.reorderMilliseconds])).toEqual([['sum', '', 0]]);
  });

  test('reports nothing of what runs before, after, or when it fails', async () => {
    const x = uniform([4]);
    ops.relu(x);
    await expect(
      profile(() => {
        throw new TypeError('stop');
      }),
    ).rejects.toThrow('stop');
    ops.relu(x);
    const times = await profile(() => ops.add(x, x));
    expect(times.map((time) => time.op)).toEqual(['add']);
  });
});

test.each(testDevices.filter(({ kind }) => kind === 'gpu'))('%s does not time ops, and says so', (device) => {
  for (const ask of [() => backendOf(device).profile(true), () => backendOf(device).takeProfile()])
    expect(ask).toThrow(/Ops are timed on the CPU alone, not on gpu\(0\)/);
});

describe('the work of an op', () => {
  const x = [2, 6, 9, 7]; // n, ci, h, w
  const w = [8, 3, 3, 3]; // co, ci / 2 groups, kh, kw
  const y = [2, 8, 4, 3];
  const gflop = (2 * 2 * 8 * 4 * 3 * (3 * 3 * 3)) / 1e9;

  test.each([
    ['conv2d', [x, w], [y]],
    ['conv2dFused', [x, w, [8]], [y]],
    ['conv2dBackwardData', [y, w], [x]],
    ['conv2dBackwardWeights', [x, y], [w]],
  ])('%s', (name, inputs, outputs) => expect(gflopOf(op(name, inputs, outputs))).toBeCloseTo(gflop, 15));

  test.each([
    [
      'dense',
      [
        [4, 5],
        [3, 5],
      ],
      [[4, 3]],
    ],
    [
      'denseBackwardData',
      [
        [4, 3],
        [3, 5],
      ],
      [[4, 5]],
    ],
    [
      'denseBackwardWeights',
      [
        [4, 5],
        [4, 3],
      ],
      [[3, 5]],
    ],
  ])('%s', (name, inputs, outputs) => expect(gflopOf(op(name, inputs, outputs))).toBeCloseTo(120e-9, 15));

  test('what is bound by memory has none', () => expect(gflopOf(op('relu', [x], [x]))).toBe(0));
});

describe('groups', () => {
  test.each([
    ['conv2dFused', 'convolution forward'],
    ['conv2dBackwardData', 'convolution data'],
    ['batchNormAddReluBackward', 'BatchNorm'],
    ['maxPool2dBackward', 'pooling'],
    ['addRelu', 'elementwise'],
    ['softmaxCrossEntropy', 'rest'],
  ])('%s is %s', (name, group) => expect(groupOf(name)).toBe(group));

  test('sum up to the whole, changes of layout apart', () => {
    const times = [
      op(
        'conv2d',
        [
          [1, 1, 4, 4],
          [1, 1, 3, 3],
        ],
        [[1, 1, 2, 2]],
        5,
        2,
      ),
      op(
        'conv2d',
        [
          [1, 1, 4, 4],
          [1, 1, 3, 3],
        ],
        [[1, 1, 2, 2]],
        7,
        2,
      ),
      op('copy', [[4]], [[4]], 1),
      op('argmax', [[4]], [[]], 3),
    ];
    const rows = rowsOf(times, 2);
    expect(rows.map((row) => [row.op, row.count, row.milliseconds])).toEqual([
      ['conv2d', 1, 6],
      ['argmax', 0.5, 1.5],
      ['copy', 0.5, 0.5],
    ]);
    const sums = groupSums(rows);
    expect(sums.map((sum) => sum.group)).toEqual([...groups]);
    const of = (group: string): number => sums.find((sum) => sum.group === group)!.milliseconds;
    expect([of('convolution forward'), of('changes of layout'), of('rest')]).toEqual([4, 2.5, 1.5]);
    expect(sums.reduce((sum, each) => sum + each.milliseconds, 0)).toBe(8);
  });

  test('layers that the net is made of count as its work', async () => {
    const net = new nn.Sequential().add(new nn.Conv2D(4, { kernelSize: 3 }), new nn.Dense(3));
    net.initialize();
    const times = await profile(() => net.forward(uniform([2, 1, 5, 5])).dispose());
    const gflop = times.reduce((sum, time) => sum + gflopOf(time), 0);
    expect(gflop).toBeCloseTo((2 * 2 * (4 * 9 * 9 + 3 * 36)) / 1e9, 12);
  });
});
