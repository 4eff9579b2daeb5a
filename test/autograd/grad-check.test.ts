// gradCheck finds wrong gradients. The gradients of the ops: test/ops/gradients.test.ts.
import { beforeEach, describe, expect, it } from 'vitest';
import { autograd } from '../../lib/autograd/index.js';
import { recordOp } from '../../lib/autograd/tape.js';
import { ConfigError, DTypeError, GradientError } from '../../lib/errors.js';
import { dropout } from '../../lib/ops/index.js';
import { normal, ones, tensor } from '../../lib/tensor/create.js';
import { seed } from '../../lib/tensor/random.js';
import type { Tensor } from '../../lib/tensor/tensor.js';

const { gradCheck, pause } = autograd;

beforeEach(() => seed(11));

describe('gradCheck', () => {
  /** 3 x with a gradient of `slope`. */
  const scaled = (slope: number) => (x: Tensor) => {
    const y = pause(() => x.mul(3));
    recordOp('scaled', [x], y, [], (dy) => [dy.mul(slope)]);
    return y;
  };

  it('is the same draw of random numbers at each call', () => {
    gradCheck((x) => dropout(x, 0.5), [normal([40])]);
    gradCheck((x) => dropout(x, 0.5).mul(2), [normal([40])], { training: false });
  });

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
