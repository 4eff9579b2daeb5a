// What the tape keeps alive, and until when.
import { beforeEach, describe, expect, it } from 'vitest';
import { autograd } from '../../lib/autograd/index.js';
import { backendOf } from '../../lib/device.js';
import * as ops from '../../lib/ops/index.js';
import { normal, ones, tensor, zeros } from '../../lib/tensor/create.js';
import { memory } from '../../lib/tensor/memory.js';
import { tidy } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { isEmulated } from '../helpers/devices.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice((device) => {
  const { record } = autograd;

  /** Live tensors when all work is done. */
  function live(): number {
    backendOf(device).synchronize();
    return memory().tensors;
  }

  const x = normal([4, 3, 6, 6]);
  const labels = tensor(Int32Array.of(0, 1, 2, 0));
  const parameters = { w: normal([8, 3, 3, 3]), gamma: ones([8]), beta: zeros([8]), dense: normal([3, 8]) };
  const runningMean = zeros([8]);
  const runningVar = ones([8]);
  for (const parameter of Object.values(parameters)) parameter.requiresGrad = true;

  function network(): Tensor {
    const { w, gamma, beta, dense } = parameters;
    const y = ops.conv2d(x, w, null, { padding: 1 }); // [4, 8, 6, 6]
    const normalised = ops.batchNorm(y, gamma, beta, runningMean, runningVar, { relu: true });
    const pooled = ops.globalAvgPool2d(ops.maxPool2d(ops.addRelu(normalised, y))); // [4, 8, 1, 1]
    return ops.softmaxCrossEntropy(ops.dense(ops.flatten(pooled), dense), labels); // [4]
  }

  function clearGradients(): void {
    for (const parameter of Object.values(parameters)) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }

  let before = 0;
  beforeEach(() => {
    clearGradients();
    before = live();
  });

  describe('live tensors', () => {
    it('outside record: only the result', () => {
      const losses = tidy(network);
      expect(live()).toBe(before + 1);
      losses.dispose();
      expect(live()).toBe(before);
    });

    it('with no gradient wanted: only the result', () => {
      for (const parameter of Object.values(parameters)) parameter.requiresGrad = false;
      const losses = record(network);
      for (const parameter of Object.values(parameters)) parameter.requiresGrad = true;
      expect([live(), losses.node]).toEqual([before + 1, null]);
      losses.dispose();
    });

    it('after record: the result and what backward needs; after backward: the result and the gradients', () => {
      const losses = record(network);
      // Saved: conv's y (batch norm's x); mean, variance, mask; addRelu's y; argmax; dense's x; logits. Inputs are alive anyway.
      expect(live()).toBe(before + 1 + 8);
      losses.backward();
      expect(live()).toBe(before + 1 + 4);
      losses.dispose();
      clearGradients();
      expect(live()).toBe(before);
    });

    it('after a record whose result is disposed with no backward: nothing', () => {
      record(network).dispose();
      expect(live()).toBe(before);
    });

    it('after a record that returns nothing: nothing', () => {
      record(() => void network());
      expect(live()).toBe(before);
    });

    it('after a record that throws: nothing', () => {
      expect(() =>
        record(() => {
          network();
          throw new RangeError('mine');
        }),
      ).toThrow(RangeError);
      expect(live()).toBe(before);
    });

    it('of a branch that is not returned: nothing', () => {
      const y = record(() => {
        const sum = parameters.dense.add(parameters.dense);
        parameters.w.mul(parameters.w);
        return sum;
      });
      expect(live()).toBe(before + 1); // add saves nothing
      y.dispose();
    });

    it('with retainGraph: as before backward, and the gradients', () => {
      const losses = record(network);
      losses.backward(undefined, { retainGraph: true });
      expect(live()).toBe(before + 1 + 8 + 4);
      losses.dispose();
      expect(live()).toBe(before + 4);
    });

    it('after a failed second backward: as before it', () => {
      const losses = record(network);
      losses.backward();
      expect(() => losses.backward()).toThrow();
      expect(live()).toBe(before + 1 + 4);
      losses.dispose();
    });

    const steps = isEmulated(device) ? 50 : 1000;
    it(`do not grow over ${steps} steps`, () => {
      const step = () => record(network).backward();
      tidy(step);
      const { tensors, bytes } = { tensors: live(), bytes: memory().bytes };
      for (let i = 0; i < steps; i++) tidy(step);
      expect([live(), memory().bytes]).toEqual([tensors, bytes]);
    });
  });

  describe('gradients', () => {
    it('live where their leaf does', () => {
      tidy(() => {
        const inner = ones([2]);
        inner.requiresGrad = true;
        tidy(() => record(() => inner.mul(parameters.gamma.sum())).backward());
        expect(inner.grad?.toArray()).toEqual([8, 8]);
      });
      expect(parameters.gamma.grad?.toArray()).toEqual(Array(8).fill(2));
      expect(live()).toBe(before + 1);
    });

    it('can be returned from a scope that disposes their leaf', () => {
      const grad = tidy(() => {
        const inner = ones([2]);
        inner.requiresGrad = true;
        record(() => inner.mul(3)).backward();
        return inner.grad as Tensor;
      });
      expect([grad.toArray(), live()]).toEqual([[3, 3], before + 1]);
      grad.dispose();
    });

    it('go with their leaf', () => {
      const inner = ones([2]);
      inner.requiresGrad = true;
      tidy(() => record(() => inner.mul(3)).backward());
      inner.dispose();
      expect(live()).toBe(before);
    });
  });

  describe('saved values', () => {
    it('are only those that a wanted gradient needs', () => {
      const { w } = parameters;
      w.requiresGrad = false;
      expect(savedShapes(() => ops.conv2d(x, w))).toEqual([]);
      const input = x.detach();
      input.requiresGrad = true;
      expect(savedShapes(() => ops.conv2d(input, w))).toEqual([null, w.shape]);
      w.requiresGrad = true;
      expect(savedShapes(() => ops.conv2d(x, w))).toEqual([x.shape, null]);
      expect(savedShapes(() => ops.conv2d(input, w))).toEqual([x.shape, w.shape]);
      expect(savedShapes(() => w.mul(2))).toEqual([null, []]);
      expect(savedShapes(() => w.add(2))).toEqual([]);
      input.dispose();
    });

    it('survive the disposal of the tensors they came from', () => {
      const [a, b] = [tensor([2]), tensor([3])];
      a.requiresGrad = true;
      const y = record(() => a.mul(b));
      b.dispose();
      y.backward();
      expect(a.grad?.toArray()).toEqual([3]);
    });
  });

  /** Shapes of what the op that `fn` ends with saved. */
  function savedShapes(fn: () => Tensor): unknown[] {
    const y = record(fn);
    const shapes = (y.node?.step?.saved ?? []).map((tensor) => tensor?.shape ?? null);
    y.dispose();
    return shapes;
  }
});
