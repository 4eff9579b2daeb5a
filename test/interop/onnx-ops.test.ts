// Each op that has a form in ONNX, alone in a net: onnxruntime gives what we compute, for batches of 1 and 3.
import { describe, expect, test } from 'vitest';
import { nn, ops, type Tensor, tensor } from '../../lib/index.js';
import { integerValues, uniformValues } from '../helpers/values.js';
import { FunctionNet } from './function-net.js';
import { difference, ExportedNet } from './onnx-session.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();

const values = (shape: readonly number[], seed: number, scale = 1, offset = 0): Tensor =>
  tensor(
    uniformValues(
      shape.reduce((n, d) => n * d, 1),
      seed,
      scale,
      offset,
    ),
    { shape },
  );

/** gamma, beta, running mean, running variance */
const statistics = (channels: number): [Tensor, Tensor, Tensor, Tensor] => [
  values([channels], 11, 0.5, 1),
  values([channels], 12),
  values([channels], 13),
  values([channels], 14, 0.4, 1),
];
const prediction = { training: false, epsilon: 1e-3 };

const cases: Record<string, { shape: number[]; fn: (x: Tensor) => Tensor }> = {
  'conv2d with bias, odd strides and padding': {
    shape: [1, 4, 9, 7],
    fn: (x) => ops.conv2d(x, values([6, 4, 3, 2], 1), values([6], 2), { strides: [2, 1], padding: [1, 2] }),
  },
  'conv2d with groups and dilation': {
    shape: [1, 4, 9, 7],
    fn: (x) => ops.conv2d(x, values([6, 2, 2, 3], 1), null, { groups: 2, dilation: [3, 2] }),
  },
  batchNorm: { shape: [1, 3, 5, 4], fn: (x) => ops.batchNorm(x, ...statistics(3), prediction) },
  'batchNorm of [n, channels]': { shape: [1, 3], fn: (x) => ops.batchNorm(x, ...statistics(3), prediction) },
  'batchNorm with relu': {
    shape: [1, 3, 5, 4],
    fn: (x) => ops.batchNorm(x, ...statistics(3), { ...prediction, relu: true }),
  },
  batchNormAddRelu: {
    shape: [1, 3, 5, 4],
    fn: (x) => ops.batchNormAddRelu(x, x.mul(0.5), ...statistics(3), prediction),
  },
  relu: { shape: [1, 3, 5], fn: (x) => x.relu() },
  addRelu: { shape: [1, 3, 5], fn: (x) => ops.addRelu(x, x.mul(-2)) },
  'maxPool2d with padding and a remainder': {
    shape: [1, 2, 8, 7],
    fn: (x) => ops.maxPool2d(x, { poolSize: [3, 2], strides: [2, 3], padding: 1 }),
  },
  'avgPool2d that counts the padding': {
    shape: [1, 2, 8, 7],
    fn: (x) => ops.avgPool2d(x, { poolSize: 3, strides: 2, padding: 1 }),
  },
  'avgPool2d that does not': {
    shape: [1, 2, 8, 7],
    fn: (x) => ops.avgPool2d(x, { poolSize: 3, strides: 2, padding: 1, countIncludePad: false }),
  },
  globalAvgPool2d: { shape: [1, 2, 8, 7], fn: (x) => ops.globalAvgPool2d(x) },
  dense: { shape: [1, 5], fn: (x) => ops.dense(x, values([3, 5], 1), values([3], 2)) },
  'dense without bias': { shape: [1, 5], fn: (x) => ops.dense(x, values([3, 5], 1)) },
  'arithmetic with broadcasting and numbers': {
    shape: [1, 3, 5],
    fn: (x) =>
      x
        .add(values([3, 1], 1))
        .mul(values([5], 2))
        .sub(0.25)
        .div(values([3, 1], 3, 0.5, 2)),
  },
  'arithmetic of int32': { shape: [1, 3, 5], fn: (x) => x.mul(100).astype('int32').add(7).mul(-3) },
  'equal of bytes': { shape: [1, 3, 5], fn: (x) => x.relu().equal(0).equal(0) },
  'sum of int32': { shape: [1, 3, 5], fn: (x) => x.mul(9).astype('int32').sum(1) },
  'argmax of int32': { shape: [1, 3, 5], fn: (x) => x.mul(9).astype('int32').argmax(1) },
  equal: { shape: [1, 3, 5], fn: (x) => x.relu().equal(0) },
  'sum over axes': { shape: [1, 3, 5], fn: (x) => x.sum([1, 2]) },
  'sum with kept axes': { shape: [1, 3, 5], fn: (x) => ops.sum(x, 2, { keepDims: true }) },
  'mean over the image': { shape: [1, 3, 5, 4], fn: (x) => x.mean([2, 3]) },
  'mean over everything': { shape: [1, 3, 5], fn: (x) => x.mean() },
  'argmax over the middle axis': { shape: [1, 3, 5], fn: (x) => x.argmax(1) },
  'argmax of equals': { shape: [1, 3, 5], fn: (x) => x.mul(0).argmax(2) },
  softmax: { shape: [1, 3, 5], fn: (x) => x.mul(9).softmax(1) },
  logSoftmax: { shape: [1, 3, 5], fn: (x) => x.mul(9).logSoftmax() },
  'reshape with the batch in front': { shape: [1, 4, 6], fn: (x) => x.reshape([x.shape[0] as number, 8, 3]) },
  'reshape with the batch behind': { shape: [1, 4, 6], fn: (x) => x.reshape([24, x.shape[0] as number]) },
  'reshape that multiplies the batch': { shape: [1, 4, 6], fn: (x) => x.reshape([-1, 6]) },
  'reshape to one axis, added to a sum': { shape: [1, 4], fn: (x) => x.reshape([-1]).add(x.sum()) },
  'broadcastTo of the batch': {
    shape: [1, 4],
    fn: (x) => ops.broadcastTo(x.sum(0), [2 * (x.shape[0] as number), x.shape[0] as number, 4]).add(x),
  },
  'broadcastTo of a constant': {
    shape: [1, 4],
    fn: (x) =>
      ops
        .broadcastTo(values([4], 1), [3, 4])
        .sum(0)
        .add(x),
  },
  'cast to int32 and back': { shape: [1, 4], fn: (x) => x.mul(9).astype('int32').astype('float32') },
  copy: { shape: [1, 4], fn: (x) => ops.copy(x) },
  'resizeBilinear to larger': { shape: [1, 2, 5, 4], fn: (x) => ops.resizeBilinear(x, { size: [9, 7], scale: 0.5 }) },
  'resizeBilinear to smaller, of bytes': {
    shape: [1, 2, 9, 8],
    fn: (x) => ops.resizeBilinear(x.relu().mul(255).astype('uint8'), { size: [4, 5] }),
  },
  'a value that is used twice': { shape: [1, 4], fn: (x) => x.mul(3).add(x.mul(3)) },
};

describe('each op', () => {
  test.each(Object.entries(cases))('%s', async (_, { shape, fn }) => {
    const exported = await ExportedNet.make(new FunctionNet(fn), folder, { inputShape: shape });
    for (const batch of [1, 3]) expect(difference(await exported.run(shape.with(0, batch), batch))).toBeLessThan(1e-5);
    await exported.close();
  });

  test('an integer constant', async () => {
    const table = tensor(integerValues(5, 1, 9), { dtype: 'int32' });
    const net = new FunctionNet((x) => x.argmax(1).add(table.sum()));
    const exported = await ExportedNet.make(net, folder, { inputShape: [1, 6] });
    expect(difference(await exported.run([3, 6]))).toBe(0);
    await exported.close();
  });
});

describe('folding', () => {
  const conv = (x: Tensor): Tensor => ops.conv2d(x, values([4, 3, 3, 3], 1), values([4], 2), { padding: 1 });

  test.each(['fold', 'keep'] as const)('%s: a convolution with bias, then BatchNorm', async (batchNorm) => {
    const net = new FunctionNet((x) => ops.batchNorm(conv(x), ...statistics(4), { ...prediction, relu: true }));
    const exported = await ExportedNet.make(net, folder, { inputShape: [1, 3, 6, 5], batchNorm });
    expect(exported.opTypes()).toEqual(
      batchNorm === 'fold' ? ['Conv', 'Relu'] : ['Conv', 'BatchNormalization', 'Relu'],
    );
    expect(difference(await exported.run([2, 3, 6, 5]))).toBeLessThan(1e-5);
    await exported.close();
  });

  test('one convolution before two BatchNorms keeps its own weights', async () => {
    const shared = new nn.Conv2D(4, { kernelSize: 3, inChannels: 3 });
    const norms = [new nn.BatchNorm({ inChannels: 4 }), new nn.BatchNorm({ inChannels: 4 })] as const;
    for (const [i, norm] of norms.entries()) norm.runningMean.setData(uniformValues(4, 20 + i));
    const net = new FunctionNet(
      (x) =>
        norms[0]
          .forward(shared.forward(x))
          .add(norms[1].forward(shared.forward(x.mul(2))))
          .add(shared.forward(x)),
      [shared, ...norms],
    );
    net.initialize();
    for (const [i, norm] of norms.entries()) norm.runningMean.setData(uniformValues(4, 20 + i));
    const exported = await ExportedNet.make(net, folder, { inputShape: [1, 3, 6, 5] });
    expect(exported.opTypes()).not.toContain('BatchNormalization');
    expect(difference(await exported.run([2, 3, 6, 5]))).toBeLessThan(1e-5);
    await exported.close();
  });
});
