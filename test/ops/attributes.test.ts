// What ops refuse from JavaScript: no tensors, unknown options, values that an option cannot have. Each error names the argument.
import { describe, expect, it } from 'vitest';
import { ConfigError, ResiduaError, ShapeError } from '../../lib/errors.js';
import * as ops from '../../lib/ops/index.js';
import { normal, ones, tensor, zeros } from '../../lib/tensor/create.js';

const x = normal([2, 4, 6, 6]);
const w = normal([3, 4, 3, 3]);
const c = ones([4]);

describe('ops refuse', () => {
  it.each<[string, () => unknown, string]>([
    ['text for a tensor', () => ops.relu('x' as never), 'relu: x expected a Tensor, got string.'],
    ['nothing for a tensor', () => ops.conv2d(x, undefined as never), 'conv2d: w expected a Tensor, got undefined.'],
    ['null for a tensor', () => ops.dense(null as never, w), 'dense: x expected a Tensor, got null.'],
    ['an array for a tensor', () => ops.softmax([1, 2] as never), 'softmax: x expected a Tensor, got array.'],
    [
      'a typed array for a tensor',
      () => ops.sum(Float32Array.of(1) as never),
      'sum: x expected a Tensor, got Float32Array.',
    ],
    [
      'options in the place of the bias',
      () => ops.conv2d(x, w, { strides: 2 } as never),
      'conv2d: b expected a Tensor, got object.',
    ],
    [
      'an unknown option',
      () => ops.conv2d(x, w, null, { stride: 2 } as never),
      "conv2d does not know the option 'stride'. It knows: strides, padding, dilation, groups.",
    ],
    [
      'an option of another op',
      () => ops.maxPool2d(x, { countIncludePad: true } as never),
      "maxPool2d does not know the option 'countIncludePad'",
    ],
    [
      'options that are no object',
      () => ops.avgPool2d(x, 3 as never),
      'avgPool2d expected its options to be an object, got 3.',
    ],
    [
      'a NaN size',
      () => ops.conv2d(x, w, null, { strides: Number.NaN }),
      'conv2d expected strides to be an integer of at least 1 or two of them [height, width], got NaN.',
    ],
    ['a negative stride', () => ops.conv2d(x, w, null, { strides: [1, -1] }), 'conv2d expected strides'],
    ['a stride of 0', () => ops.maxPool2d(x, { strides: 0 }), 'maxPool2d expected strides'],
    ['three sizes', () => ops.avgPool2d(x, { poolSize: [1, 2, 3] as never }), 'avgPool2d expected poolSize'],
    ['a negative padding', () => ops.conv2d(x, w, null, { padding: -1 }), 'conv2d expected padding'],
    [
      'a fraction of groups',
      () => ops.conv2d(x, w, null, { groups: 1.5 }),
      'conv2d expected groups to be an integer of at least 1, got 1.5.',
    ],
    [
      'text for a number',
      () => ops.batchNorm(x, c, c, c, c, { epsilon: '1e-5' as never }),
      'batchNorm expected epsilon',
    ],
    ['a momentum above 1', () => ops.batchNorm(x, c, c, c, c, { momentum: 1.1 }), 'batchNorm expected momentum'],
    [
      'a number for a flag',
      () => ops.batchNorm(x, c, c, c, c, { training: 1 as never }),
      'batchNorm expected training to be true or false, got 1.',
    ],
    ['a resize to nothing', () => ops.resizeBilinear(x, {} as never), 'resizeBilinear expected size'],
    [
      'a negative label smoothing',
      () => ops.softmaxCrossEntropy(x, x, { labelSmoothing: -0.1 }),
      'softmaxCrossEntropy expected labelSmoothing',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(message);
  });

  it('axes that are not there, or named twice', () => {
    expect(() => ops.sum(x, 4)).toThrow('sum: axis expected an integer from -4 to 3, got 4.');
    expect(() => ops.mean(x, [1, -3])).toThrow('mean: axis expected each axis once, got [1, 1].');
    expect(() => ops.argmax(x, '1' as never)).toThrow('argmax: axis expected an integer from -4 to 3, got string.');
    expect(() => ops.sum(x, [0, Number.NaN])).toThrow(ShapeError);
  });

  it('images that are none', () => {
    expect(() => ops.globalAvgPool2d(c)).toThrow(
      'globalAvgPool2d: x expected 4 axes [n, channels, height, width], got shape [4].',
    );
    expect(() => ops.flatten(tensor(1))).toThrow(ShapeError);
  });

  it('shapes that do not fit, by the native checks', () => {
    for (const call of [
      () => ops.conv2d(x, normal([3, 5, 3, 3])),
      () => ops.conv2d(x, c),
      () => ops.conv2d(x, w, zeros([4])),
      () => ops.conv2d(x, normal([3, 4, 9, 9])),
      () => ops.batchNorm(x, zeros([3]), c, c, c),
      () => ops.dense(x, w),
      () => ops.add(x, zeros([5])),
      () => ops.addRelu(x, c),
      () => ops.broadcastTo(x, [4, 6, 6]),
      () => ops.maxPool2d(x, { poolSize: 7 }),
      () => ops.assign(c, zeros([5])),
    ]) {
      expect(call).toThrow(ShapeError);
    }
  });
});

describe('sgdUpdate', () => {
  const hyper = { rescale: 1, momentum: 0, clip: 0, lrs: [0.1], wds: [0] };

  it('wants as many of each as there are weights', () => {
    expect(() => ops.sgdUpdate([c], [], null, hyper)).toThrow('sgdUpdate expected 1 grads, one a weight, got 0.');
    expect(() => ops.sgdUpdate([c], [c], [], hyper)).toThrow(ConfigError);
    expect(() => ops.sgdUpdate([c], [c], null, { ...hyper, lrs: [] })).toThrow(ConfigError);
    expect(() => ops.sgdUpdate([c], [undefined as never], null, hyper)).toThrow(
      'sgdUpdate: grads[0] expected a Tensor, got undefined.',
    );
    expect(() => ops.sgdUpdate([c], [zeros([3])], null, hyper)).toThrow(ResiduaError);
  });

  it('does nothing for no weights', () => {
    expect(ops.sgdUpdate([], [], null, { ...hyper, lrs: [], wds: [] })).toBeUndefined();
  });

  it('updates in place', () => {
    const [weight, momentum] = [tensor([1, 2]), zeros([2])];
    const step = () =>
      ops.sgdUpdate([weight], [tensor([10, -10])], [momentum], {
        rescale: 0.5,
        momentum: 0.5,
        clip: 0,
        lrs: [0.1],
        wds: [0],
      });
    step();
    expect(weight.toArray()).toEqual([0.5, 2.5]); // m = -0.1 * 5
    step();
    expect(weight.toArray()).toEqual([-0.25, 3.25]); // m = 0.5 * -0.5 - 0.5
  });
});
