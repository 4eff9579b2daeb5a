// The gradient of every differentiable op against finite differences.
import { describe, test } from 'vitest';
import { autograd, type GradCheckOptions, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { integerValues, sizeOf, spacedValues, uniformValues } from '../helpers/values.js';

interface Case {
  name: string;
  fn: (...inputs: Tensor[]) => Tensor;
  /** Shapes of the inputs. */
  shapes: number[][];
  /** How their values are made; default: evenly from [-1, 1). */
  values?: (count: number, seed: number) => Float32Array;
  options?: GradCheckOptions;
}

const positive = (count: number, seed: number) => uniformValues(count, seed, 0.5, 1.5);
/** Running statistics are updated in training: each call gets fresh ones, or the difference would see them move. */
const statistics = (channels: number, x: Tensor) =>
  [0.1, 1.2].map((value) => tensor(Array(channels).fill(value), { device: x.device })) as [Tensor, Tensor];
/** Three betas that keep every channel's values on one side of 0, where a ReLU has no kink. */
const away = (beta: Tensor) => ops.add(beta, tensor([6, -6, 6], { device: beta.device }));

const cases: Case[] = [
  {
    name: 'conv2d',
    fn: (x, w, b) => ops.conv2d(x!, w!, b, { strides: 2, padding: 1 }),
    shapes: [[2, 3, 5, 4], [4, 3, 3, 3], [4]],
  },
  {
    name: 'conv2d, groups and dilation',
    fn: (x, w) => ops.conv2d(x!, w!, null, { groups: 2, dilation: 2, padding: 2 }),
    shapes: [
      [1, 4, 5, 5],
      [2, 2, 3, 3],
    ],
  },
  {
    name: 'conv2d, depthwise',
    fn: (x, w, b) => ops.conv2d(x!, w!, b, { groups: 5, padding: [1, 0] }),
    shapes: [[2, 5, 4, 4], [5, 1, 3, 2], [5]],
  },
  {
    name: 'conv2d, uneven',
    fn: (x, w, b) => ops.conv2d(x!, w!, b, { strides: [1, 2], padding: [2, 0], dilation: [1, 2] }),
    shapes: [[2, 4, 5, 7], [3, 4, 2, 3], [3]],
  },
  {
    name: 'conv2d, 1x1 with stride 2',
    fn: (x, w) => ops.conv2d(x!, w!, null, { strides: 2 }),
    shapes: [
      [2, 4, 5, 6],
      [5, 4, 1, 1],
    ],
  },
  {
    name: 'batchNorm of two axes',
    fn: (x, gamma, beta) => ops.batchNorm(x!, gamma!, beta!, ...statistics(3, x!), { training: true }),
    shapes: [[8, 3], [3], [3]],
  },
  {
    name: 'batchNorm in training',
    fn: (x, gamma, beta) => ops.batchNorm(x!, gamma!, beta!, ...statistics(3, x!), { training: true }),
    shapes: [[3, 3, 2, 3], [3], [3]],
  },
  {
    name: 'batchNorm in training, ReLU',
    // The betas keep every channel's values on one side of 0.
    fn: (x, gamma, beta) =>
      ops.batchNorm(x!, gamma!, ops.add(beta!, tensor([4, -4, 4], { device: x!.device })), ...statistics(3, x!), {
        training: true,
        relu: true,
      }),
    shapes: [[3, 3, 2, 3], [3], [3]],
  },
  {
    name: 'batchNorm in inference',
    fn: (x, gamma, beta) => ops.batchNorm(x!, gamma!, beta!, ...statistics(3, x!), { training: false }),
    shapes: [[2, 3, 2, 3], [3], [3]],
  },
  {
    name: 'batchNorm in inference, ReLU',
    fn: (x, gamma, beta) =>
      ops.batchNorm(x!, gamma!, ops.add(beta!, tensor([4, -4, 4], { device: x!.device })), ...statistics(3, x!), {
        training: false,
        relu: true,
      }),
    shapes: [[2, 3, 2, 3], [3], [3]],
  },
  {
    name: 'batchNormAddRelu in training',
    fn: (x, residual, gamma, beta) =>
      ops.batchNormAddRelu(x!, residual!, gamma!, away(beta!), ...statistics(3, x!), { training: true }),
    shapes: [[3, 3, 2, 3], [3, 3, 2, 3], [3], [3]],
  },
  {
    name: 'batchNormAddRelu in inference',
    fn: (x, residual, gamma, beta) =>
      ops.batchNormAddRelu(x!, residual!, gamma!, away(beta!), ...statistics(3, x!), { training: false }),
    shapes: [[2, 3, 2, 3], [2, 3, 2, 3], [3], [3]],
  },
  { name: 'relu', fn: (x) => ops.relu(x!), shapes: [[3, 7]], values: spacedValues },
  { name: 'addRelu', fn: (x) => ops.addRelu(x!, ops.mul(x!, 2)), shapes: [[2, 16, 2]], values: spacedValues },
  {
    name: 'maxPool2d',
    fn: (x) => ops.maxPool2d(x!, { poolSize: 3, strides: 2, padding: 1 }),
    shapes: [[1, 2, 6, 5]],
    values: spacedValues,
  },
  { name: 'avgPool2d', fn: (x) => ops.avgPool2d(x!, { poolSize: 3, strides: 2, padding: 1 }), shapes: [[2, 2, 4, 5]] },
  {
    name: 'avgPool2d, padding not counted',
    fn: (x) => ops.avgPool2d(x!, { poolSize: 3, strides: 2, padding: 1, countIncludePad: false }),
    shapes: [[2, 2, 4, 5]],
  },
  { name: 'avgPool2d, uneven', fn: (x) => ops.avgPool2d(x!, { poolSize: [2, 3], strides: 1 }), shapes: [[1, 2, 5, 6]] },
  { name: 'globalAvgPool2d', fn: (x) => ops.globalAvgPool2d(x!), shapes: [[2, 3, 4, 3]] },
  { name: 'dense', fn: (x, w, b) => ops.dense(x!, w!, b), shapes: [[3, 5], [4, 5], [4]] },
  {
    name: 'add',
    fn: (a, b) => ops.add(a!, b!),
    shapes: [
      [2, 3, 2],
      [3, 1],
    ],
  },
  {
    name: 'sub',
    fn: (a, b) => ops.sub(a!, b!),
    shapes: [
      [3, 1],
      [2, 3, 2],
    ],
  },
  {
    name: 'mul',
    fn: (a, b) => ops.mul(a!, b!),
    shapes: [
      [2, 1, 4],
      [3, 1],
    ],
  },
  { name: 'mul of a tensor by itself', fn: (a) => ops.mul(a!, a!), shapes: [[2, 5]] },
  { name: 'mul by a scalar tensor', fn: (a, b) => ops.mul(a!, b!), shapes: [[2, 3], []] },
  { name: 'div', fn: (a, b) => ops.div(a!, b!), shapes: [[4], [3, 1]], values: positive },
  {
    name: 'arithmetic with numbers',
    fn: (a) => ops.sub(3, ops.div(2, ops.add(ops.mul(a!, 0.5), 1))),
    shapes: [[2, 4]],
    values: positive,
  },
  { name: 'sum over all', fn: (x) => ops.sum(x!), shapes: [[3, 4]] },
  { name: 'sum over no axis', fn: (x) => ops.sum(x!, []), shapes: [[3, 4]] },
  { name: 'sum over two axes, kept', fn: (x) => ops.sum(x!, [0, 2], { keepDims: true }), shapes: [[3, 4, 2]] },
  { name: 'mean over the last axis', fn: (x) => ops.mean(x!, -1), shapes: [[3, 4, 2]] },
  { name: 'sum over two axes', fn: (x) => ops.sum(x!, [0, 2]), shapes: [[3, 4, 2]] },
  { name: 'mean over all', fn: (x) => ops.mean(x!), shapes: [[3, 4]] },
  { name: 'mean over an axis, kept', fn: (x) => ops.mean(x!, 1, { keepDims: true }), shapes: [[3, 4, 2]] },
  { name: 'softmax', fn: (x) => ops.softmax(x!, 1), shapes: [[2, 4, 3]] },
  { name: 'logSoftmax', fn: (x) => ops.logSoftmax(x!, 0), shapes: [[4, 3]] },
  { name: 'copy', fn: (x) => ops.mul(ops.copy(x!), 2), shapes: [[2, 3]] },
  { name: 'cast to its own type', fn: (x) => ops.mul(ops.cast(x!, 'float32'), 2), shapes: [[2, 3]] },
  { name: 'reshape', fn: (x) => ops.reshape(x!, [4, -1]), shapes: [[2, 6]] },
  { name: 'flatten', fn: (x) => ops.flatten(x!), shapes: [[2, 3, 2]] },
  { name: 'broadcastTo', fn: (x) => ops.broadcastTo(x!, [2, 3, 4]), shapes: [[3, 1]] },
  { name: 'dropout', fn: (x) => ops.dropout(x!, 0.4, true), shapes: [[5, 6]] },
  {
    name: 'a chain',
    fn: (x, w, v) => ops.softmax(ops.dense(ops.flatten(ops.avgPool2d(ops.conv2d(x!, w!, null, { padding: 1 }))), v!)),
    shapes: [
      [2, 1, 4, 4],
      [3, 1, 3, 3],
      [4, 12],
    ],
  },
];

describe.each(testDevices)('gradients by finite differences on %s', (device) => {
  test.each(cases)('$name', ({ fn, shapes, values = uniformValues, options }) => {
    tidy(() => {
      const inputs = shapes.map((shape, i) => tensor(values(sizeOf(shape), 50 + i), { shape, device }));
      autograd.gradCheck(fn, inputs, options);
    });
  });

  // What the others want alone is not computed for those that are held fixed.
  test.each([0, 1, 2])('conv2d and dense, of input %s alone', (wanted) => {
    tidy(() => {
      const inputs = (shapes: number[][]) =>
        shapes.map((shape, i) => tensor(uniformValues(sizeOf(shape), 70 + i), { shape, device }));
      const of = (op: (...t: Tensor[]) => Tensor, fixed: Tensor[]) =>
        autograd.gradCheck((t) => op(...fixed.with(wanted, t!)), [fixed[wanted]!]);
      of((x, w, b) => ops.conv2d(x!, w!, b), inputs([[2, 3, 4, 4], [4, 3, 3, 3], [4]]));
      of((x, w, b) => ops.dense(x!, w!, b), inputs([[3, 5], [4, 5], [4]]));
    });
  });

  test.each([0, 0.1])('softmaxCrossEntropy, smoothing %s', (labelSmoothing) => {
    tidy(() => {
      const logits = tensor(uniformValues(20, 1, 2), { shape: [4, 5], device });
      const labels = tensor(integerValues(4, 2, 5), { device });
      autograd.gradCheck((x, y) => ops.softmaxCrossEntropy(x!, y!, { labelSmoothing }), [logits, labels]);
    });
  });
});
