// gradCheck finds wrong gradients, and passes every op that has one.
import { beforeEach, describe, expect, it } from 'vitest';
import { autograd } from '../../lib/autograd/index.js';
import { recordOp } from '../../lib/autograd/tape.js';
import { ConfigError, DTypeError, GradientError } from '../../lib/errors.js';
import * as ops from '../../lib/ops/index.js';
import { full, normal, ones, tensor, uniform, zeros } from '../../lib/tensor/create.js';
import { randomState, seed } from '../../lib/tensor/random.js';
import type { Tensor } from '../../lib/tensor/tensor.js';

const { gradCheck, pause } = autograd;

beforeEach(() => seed(11));

/** Values at least 0.1 from each other, in random order: no ties and no kinks of max within a difference of 0.02. */
function spaced(shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const order = [...uniform([size]).dataSync()].map((key, i) => [key, i] as const).sort(([a], [b]) => a - b);
  return tensor(
    order.map(([, i]) => (i - size / 2 + 0.5) * 0.1),
    { shape },
  );
}

describe('gradCheck', () => {
  /** 3 x with a gradient of `slope`. */
  const scaled = (slope: number) => (x: Tensor) => {
    const y = pause(() => x.mul(3));
    recordOp('scaled', [x], y, [], (dy) => [dy.mul(slope)]);
    return y;
  };

  it('accepts a right gradient', () => {
    gradCheck(scaled(3), [normal([5])]);
  });

  it('finds a wrong one, and says where', () => {
    const error = catchError(() => gradCheck(scaled(3.2), [normal([5])]));
    expect(error).toBeInstanceOf(GradientError);
    expect(error.message).toMatch(
      /^gradCheck: the gradient of inputs\[0\] at flat index 0 expected .* by finite differences, got .*\.$/,
    );
    const { input, index, expected, found } = (error as GradientError).details as Record<string, number>;
    expect([input, index]).toEqual([0, 0]);
    expect((found as number) / (expected as number)).toBeCloseTo(3.2 / 3, 2);
  });

  it('finds one that is wrong in a single element', () => {
    const fn = (x: Tensor) => {
      const y = pause(() => x.mul(3));
      recordOp('uneven', [x], y, [], (dy) => [dy.mul(tensor([3, 3, 4]))]);
      return y;
    };
    expect(catchError(() => gradCheck(fn, [normal([3])]))).toMatchObject({ details: { input: 0, index: 2 } });
  });

  it('finds one that does not come', () => {
    const fn = (a: Tensor, b: Tensor) => a.add(pause(() => b.mul(2)));
    expect(catchError(() => gradCheck(fn, [normal([3]), normal([3])]))).toMatchObject({
      details: { input: 1, found: 0 },
    });
  });

  it('checks at most 64 elements of an input, the same each time', () => {
    const calls = (size: number) => {
      let count = 0;
      gradCheck(
        (x) => {
          count += 1;
          return x.mul(2);
        },
        [normal([size])],
      );
      return count;
    };
    expect([calls(64), calls(1000)]).toEqual([1 + 2 * 64, 1 + 2 * 64]);
  });

  it('honours eps, rtol and atol', () => {
    const x = ones([2]);
    const cube = (t: Tensor) => t.mul(t).mul(t); // the difference is off by eps^2
    gradCheck(cube, [x]);
    expect(() => gradCheck(cube, [x], { eps: 0.5 })).toThrow(GradientError);
    gradCheck(cube, [x], { eps: 0.5, rtol: 0.1 });
    gradCheck(cube, [x], { eps: 0.5, atol: 0.3 });
  });

  it('leaves inputs as they are, with their gradients', () => {
    const x = normal([3]);
    const values = x.toArray();
    gradCheck((t) => t.mul(t), [x]);
    expect([x.toArray(), x.grad, x.requiresGrad]).toEqual([values, null, false]);
  });

  it('refuses what it cannot check', () => {
    const x = normal([2]);
    expect(() => gradCheck((t) => t.mul(2), [x], { eps: 0 })).toThrow(ConfigError);
    expect(() => gradCheck((t) => t.mul(2), [x], { tolerance: 1 } as never)).toThrow(ConfigError);
    expect(() => gradCheck((t) => t.mul(2), [1 as never])).toThrow(
      'gradCheck: inputs[0] expected a Tensor, got number.',
    );
    expect(() => gradCheck(() => 1 as never, [x])).toThrow(ConfigError);
    expect(() => gradCheck((t) => t.argmax(), [x])).toThrow(DTypeError);
    expect(() => gradCheck((t) => t.mul(2), [x.astype('bfloat16')])).toThrow(DTypeError);
    expect(() => gradCheck((t) => t.detach(), [x])).toThrow('without history');
  });
});

function catchError(fn: () => void): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error, got none');
}

describe('gradients of the ops', () => {
  const image = () => normal([2, 4, 5, 7]);

  it.each<[string, ops.Conv2dOptions, number[]]>([
    ['plain', {}, [6, 4, 3, 3]],
    ['stride 2, padding 1', { strides: 2, padding: 1 }, [6, 4, 3, 3]],
    ['uneven', { strides: [1, 2], padding: [2, 0], dilation: [1, 2] }, [3, 4, 2, 3]],
    ['groups', { groups: 2, padding: 1 }, [6, 2, 3, 3]],
    ['depthwise', { groups: 4 }, [4, 1, 3, 3]],
    ['1x1', { strides: 2 }, [5, 4, 1, 1]],
  ])('conv2d, %s', (_, options, shape) => {
    const [x, w, b] = [image(), normal(shape), normal([shape[0] as number])];
    gradCheck((...t) => ops.conv2d(t[0] as Tensor, t[1] as Tensor, t[2], options), [x, w, b], { atol: 5e-3 });
    gradCheck((...t) => ops.conv2d(t[0] as Tensor, t[1] as Tensor, null, options), [x, w], { atol: 5e-3 });
  });

  it('conv2d, of the parts that want one', () => {
    const [x, w, b] = [image(), normal([6, 4, 3, 3]), normal([6])];
    gradCheck((t) => ops.conv2d(t, w, b), [x], { atol: 5e-3 });
    gradCheck((t) => ops.conv2d(x, t, b), [w], { atol: 5e-3 });
    gradCheck((t) => ops.conv2d(x, w, t), [b], { atol: 5e-3 });
  });

  it.each([true, false])('batchNorm, training %s', (training) => {
    const [x, gamma, beta] = [image(), normal([4]), normal([4])];
    const fn =
      (relu: boolean) =>
      (...t: Tensor[]) =>
        ops.batchNorm(t[0] as Tensor, t[1] as Tensor, t[2] as Tensor, full([4], 0.3), full([4], 1.7), {
          training,
          relu,
        });
    gradCheck(fn(false), [x, gamma, beta], { atol: 5e-3 });
    // Far from the kink of ReLU: half the channels pass, the others are cut.
    gradCheck(fn(true), [x, full([4], 0.5), tensor([5, -5, 5, -5])], { atol: 5e-3 });
  });

  it('batchNorm over 2 axes', () => {
    const fn = (...t: Tensor[]) =>
      ops.batchNorm(t[0] as Tensor, t[1] as Tensor, t[2] as Tensor, zeros([3]), ones([3]), { training: true });
    gradCheck(fn, [normal([8, 3]), normal([3]), normal([3])], { atol: 5e-3 });
  });

  it('relu, addRelu', () => {
    gradCheck(ops.relu, [spaced([2, 3, 4])]);
    gradCheck(ops.addRelu as (...t: Tensor[]) => Tensor, [spaced([2, 3, 4]), full([2, 3, 4], 0.5)]);
  });

  it('maxPool2d, avgPool2d, globalAvgPool2d', () => {
    const x = spaced([1, 2, 5, 6]);
    gradCheck((t) => ops.maxPool2d(t), [x]);
    gradCheck((t) => ops.maxPool2d(t, { poolSize: 3, strides: 2, padding: 1 }), [x]);
    gradCheck((t) => ops.avgPool2d(t, { poolSize: [2, 3], strides: 1 }), [x]);
    gradCheck((t) => ops.avgPool2d(t, { poolSize: 3, strides: 2, padding: 1 }), [x]);
    gradCheck((t) => ops.avgPool2d(t, { poolSize: 3, strides: 2, padding: 1, countIncludePad: false }), [x]);
    gradCheck((t) => ops.globalAvgPool2d(t), [x]);
  });

  it('dense', () => {
    const [x, w, b] = [normal([3, 5]), normal([4, 5]), normal([4])];
    gradCheck((...t) => ops.dense(t[0] as Tensor, t[1] as Tensor, t[2]), [x, w, b], { atol: 5e-3 });
    gradCheck((t) => ops.dense(t, w), [x]);
    gradCheck((t) => ops.dense(x, t), [w]);
    gradCheck((t) => ops.dense(x, w, t), [b]);
  });

  it.each([
    ['same shapes', [2, 3], [2, 3]],
    ['an axis of 1', [2, 3], [2, 1]],
    ['a missing axis', [2, 3], [3]],
    ['both repeated', [2, 1, 3], [4, 1]],
    ['a scalar', [2, 3], []],
  ])('add, sub, mul, div, %s', (_, a, b) => {
    const inputs = [normal(a), uniform(b, { low: 1, high: 2 })];
    for (const op of [ops.add, ops.sub, ops.mul, ops.div]) {
      gradCheck(op as (...t: Tensor[]) => Tensor, inputs);
      gradCheck((...t) => op(t[1] as Tensor, (t[0] as Tensor).mul(0.1).add(2)), inputs);
    }
  });

  it('add, sub, mul, div with numbers', () => {
    const x = uniform([4], { low: 1, high: 2 });
    gradCheck((t) => ops.sub(3, t).mul(t.add(1)), [x]);
    gradCheck((t) => ops.div(3, t).sub(t.div(2)), [x]);
  });

  it('sum, mean', () => {
    const x = normal([2, 3, 4]);
    for (const op of [ops.sum, ops.mean]) {
      for (const axis of [undefined, 0, -1, [0, 2], []]) {
        gradCheck((t) => op(t, axis), [x], { atol: 5e-3 });
        gradCheck((t) => op(t, axis, { keepDims: true }), [x], { atol: 5e-3 });
      }
    }
  });

  it('softmax, logSoftmax', () => {
    const x = normal([3, 4, 2]);
    for (const op of [ops.softmax, ops.logSoftmax]) for (const axis of [-1, 0, 1]) gradCheck((t) => op(t, axis), [x]);
  });

  it.each([0, 0.1])('softmaxCrossEntropy, label smoothing %d', (labelSmoothing) => {
    const labels = tensor(Int32Array.of(2, 0, 3));
    gradCheck(
      (...t) => ops.softmaxCrossEntropy(t[0] as Tensor, t[1] as Tensor, { labelSmoothing }),
      [normal([3, 4]), labels],
    );
  });

  it('reshape, flatten, broadcastTo, copy, cast', () => {
    const x = normal([2, 3, 1]);
    gradCheck((t) => t.reshape([3, -1]).mul(normal([3, 2])), [x]);
    gradCheck((t) => ops.flatten(t), [x]);
    gradCheck((t) => ops.broadcastTo(t, [4, 2, 3, 5]), [x], { atol: 5e-3 });
    gradCheck((t) => ops.copy(t).mul(2), [x]);
    gradCheck((t) => t.astype('float32').mul(2), [x]);
  });

  it('cast through 16 bits passes the gradient on', () => {
    const x = tensor([1, 2]);
    x.requiresGrad = true;
    autograd.record(() => x.astype('bfloat16').astype('float32').mul(3)).backward();
    expect([x.grad?.dtype, x.grad?.toArray()]).toEqual(['float32', [3, 3]]);
  });

  it('dropout', () => {
    gradCheck((t) => ops.dropout(t, 0.5), [normal([40])]);
    gradCheck((t) => ops.dropout(t, 0.5).mul(2), [normal([40])], { training: false });
  });

  it('a residual block', () => {
    const w = [normal([2, 2, 3, 3], { std: 0.3 }), normal([2, 2, 3, 3], { std: 0.3 })];
    const block = (...t: Tensor[]) => {
      const [x, w1, w2, gamma, beta] = t as [Tensor, Tensor, Tensor, Tensor, Tensor];
      const norm = (y: Tensor) => ops.batchNorm(y, gamma, beta, zeros([2]), ones([2]));
      const first = ops.softmax(norm(ops.conv2d(x, w1, null, { padding: 1 })), 1); // smooth, in place of ReLU
      return norm(ops.conv2d(first, w2, null, { padding: 1 })).add(x);
    };
    gradCheck(block, [normal([2, 2, 4, 4]), ...w, normal([2]), normal([2])], { atol: 2e-2, rtol: 3e-2 });
  });
});

describe('dropout', () => {
  it('drops by the seed and keeps the mean', () => {
    const drop = () => autograd.record(() => ops.dropout(ones([10_000]), 0.25)).dataSync() as Float32Array;
    const [first, second] = [drop(), drop()];
    const kept = first.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]));
    expect(Math.abs(kept.length - 7500)).toBeLessThan(4 * Math.sqrt(10_000 * 0.25 * 0.75));
    expect(second).not.toEqual(first);
    seed(11);
    expect(drop()).toEqual(first);
  });

  it('does nothing outside training, and takes no random numbers', () => {
    const x = ones([4]);
    const before = randomState();
    const y = ops.dropout(x, 0.5);
    expect([y.toArray(), randomState()]).toEqual([[1, 1, 1, 1], before]);
    y.dispose();
    expect(x.disposed).toBe(false);
  });

  it('drops everything at rate 1, gradients too', () => {
    const x = ones([4]);
    x.requiresGrad = true;
    const y = autograd.record(() => ops.dropout(x, 1));
    y.backward();
    expect([y.toArray(), x.grad?.toArray()]).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('refuses other rates', () => {
    for (const rate of [-0.1, 1.5, Number.NaN]) expect(() => ops.dropout(ones([4]), rate, true)).toThrow(ConfigError);
  });
});
