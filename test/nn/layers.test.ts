// Every layer: what it computes on small inputs, inferred shapes, options.
import { describe, expect, it } from 'vitest';
import {
  arange,
  autograd,
  ConfigError,
  init,
  nn,
  ShapeError,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from '../../lib/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice(() => {
  const image = (h: number, w: number, c = 1) => arange(c * h * w).reshape([1, c, h, w]);
  const flat = (t: Tensor) => [...t.dataSync()];
  const ready = <B extends nn.Block>(block: B, value = 1): B => {
    block.initialize({ init: new init.Constant(value) });
    return block;
  };

  describe('Conv2D', () => {
    it('sums windows, adds the bias, infers its input channels', () => {
      const conv = ready(new nn.Conv2D(2, { kernelSize: 2 }));
      expect(conv.weight.shape).toEqual([2, 0, 2, 2]);
      const y = conv.forward(image(3, 3)); // [1, 2, 2, 2]
      expect(y.shape).toEqual([1, 2, 2, 2]);
      expect(flat(y)).toEqual([8, 12, 20, 24, 8, 12, 20, 24]);
      expect(conv.weight.shape).toEqual([2, 1, 2, 2]);
      conv.bias?.setData(Float32Array.of(1, -1));
      expect(flat(conv.forward(image(3, 3)))).toEqual([9, 13, 21, 25, 7, 11, 19, 23]);
    });
    it('takes strides, padding, dilation, groups and an activation', () => {
      const shape = (options: nn.Conv2DOptions) => ready(new nn.Conv2D(4, options)).forward(zeros([2, 4, 9, 7])).shape;
      expect(shape({ kernelSize: 3, strides: 2 })).toEqual([2, 4, 4, 3]);
      expect(shape({ kernelSize: [3, 1], padding: [1, 0], strides: [1, 2] })).toEqual([2, 4, 9, 4]);
      expect(shape({ kernelSize: 3, dilation: 2 })).toEqual([2, 4, 5, 3]);
      const grouped = ready(new nn.Conv2D(4, { kernelSize: 1, groups: 2, useBias: false }));
      expect(flat(grouped.forward(tensor([[[[1]], [[2]], [[3]], [[4]]]])))).toEqual([3, 3, 7, 7]);
      expect(grouped.weight.shape).toEqual([4, 2, 1, 1]);
      expect(grouped.bias).toBeNull();
      const relu = ready(new nn.Conv2D(1, { kernelSize: 1, activation: 'relu' }), -1);
      expect(flat(relu.forward(image(1, 2)))).toEqual([0, 0]);
    });
    it('refuses bad options', () => {
      const bad = (channels: unknown, options: object) => () =>
        new nn.Conv2D(channels as number, options as nn.Conv2DOptions);
      expect(bad(0, { kernelSize: 3 })).toThrow(/channels to be an integer of at least 1, got 0/);
      expect(bad(4, {})).toThrow(/kernelSize/);
      expect(bad(4, { kernelSize: Number.NaN })).toThrow(/kernelSize.*got NaN/);
      expect(bad(4, { kernelSize: 3, strides: -1 })).toThrow(/strides/);
      expect(bad(4, { kernelSize: 3, padding: 0.5 })).toThrow(/padding/);
      expect(bad(4, { kernelSize: [3, 3, 3] })).toThrow(/two of them/);
      expect(bad(4, { kernelSize: 3, groups: 3 })).toThrow(/multiples of groups/);
      expect(bad(4, { kernelSize: 3, kernel_size: 3 })).toThrow(/kernel_size/);
      expect(bad(4, { kernelSize: 3, activation: 'tanh' })).toThrow(/'relu', got "tanh"/);
      expect(bad(4, { kernelSize: 3, useBias: 0 })).toThrow(ConfigError);
    });
    it('refuses inputs of another form', () => {
      expect(() => ready(new nn.Conv2D(1, { kernelSize: 1 })).forward(zeros([3, 3]))).toThrow(ShapeError);
      expect(() => ready(new nn.Conv2D(2, { kernelSize: 1, groups: 2 })).forward(zeros([1, 3, 1, 1]))).toThrow(
        /multiple of groups/,
      );
      expect(() => ready(new nn.Conv2D(2, { kernelSize: 1, inChannels: 2 })).forward(zeros([1, 3, 1, 1]))).toThrow(
        ShapeError,
      );
    });
  });

  describe('Dense', () => {
    it('flattens, multiplies, adds the bias', () => {
      const dense = ready(new nn.Dense(2));
      dense.initialize({ forceReinit: true, init: new init.Constant(2) });
      expect(
        dense
          .forward(
            tensor([
              [
                [1, 2],
                [3, 4],
              ],
            ]),
          )
          .toArray(),
      ).toEqual([[20, 20]]);
      expect(dense.weight.shape).toEqual([2, 4]);
    });
    it('works on the last axis without flatten', () => {
      const dense = ready(new nn.Dense(2, { flatten: false }));
      expect(
        dense
          .forward(
            tensor([
              [
                [1, 2],
                [3, 4],
              ],
            ]),
          )
          .toArray(),
      ).toEqual([
        [
          [3, 3],
          [7, 7],
        ],
      ]);
      expect(dense.forward(tensor([5, 6])).toArray()).toEqual([11, 11]);
    });
    it('applies an activation', () => {
      expect(flat(ready(new nn.Dense(1, { activation: 'relu' }), -1).forward(tensor([[1], [-1]])))).toEqual([0, 1]);
    });
    it('refuses scalars and bad options', () => {
      expect(() => ready(new nn.Dense(1)).forward(tensor([1, 2]))).toThrow(/at least 2 axes/);
      expect(() => new nn.Dense(1.5)).toThrow(/units/);
      expect(() => new nn.Dense(1, { inUnits: -1 })).toThrow(/inUnits/);
    });
  });

  describe('BatchNorm', () => {
    it('normalises by the batch in training and moves the running statistics', () => {
      const norm = ready(new nn.BatchNorm());
      const x = tensor([[[[1, 2]]], [[[3, 6]]]]); // [2, 1, 1, 2]: mean 3, biased variance 3.5, unbiased 14/3
      const y = autograd.record(() => norm.forward(x));
      const sd = Math.sqrt(3.5 + 1e-5);
      flat(y).forEach((v, i) => {
        expect(v).toBeCloseTo(([1, 2, 3, 6][i] as number) / sd - 3 / sd, 5);
      });
      expect(norm.runningMean.data().item()).toBeCloseTo(0.3, 6);
      expect(norm.runningVar.data().item()).toBeCloseTo(0.9 + (0.1 * 14) / 3, 5);
    });
    it('uses the running statistics otherwise and leaves them', () => {
      const norm = ready(new nn.BatchNorm({ inChannels: 1 }));
      norm.runningMean.setData(Float32Array.of(2));
      norm.runningVar.setData(Float32Array.of(4));
      expect(norm.forward(tensor([[[[6]]]])).item()).toBeCloseTo(2, 4);
      autograd.record(() => norm.forward(tensor([[[[6]]]])), { training: false });
      expect(norm.runningMean.data().item()).toBe(2);
    });
    it('trains gamma and beta unless told not to', () => {
      const trainable = (norm: nn.BatchNorm) =>
        [...norm.collectParams()].filter(([, p]) => p.trainable).map(([name]) => name);
      expect(trainable(new nn.BatchNorm())).toEqual(['gamma', 'beta']);
      expect(trainable(new nn.BatchNorm({ center: false }))).toEqual(['gamma']);
      expect(trainable(new nn.BatchNorm({ scale: false }))).toEqual(['beta']);
    });
    it('refuses bad options and inputs', () => {
      expect(() => new nn.BatchNorm({ momentum: 2 })).toThrow(/momentum/);
      expect(() => new nn.BatchNorm({ epsilon: 0 })).toThrow(/epsilon/);
      expect(() => ready(new nn.BatchNorm()).forward(zeros([3]))).toThrow(ShapeError);
      expect(() => ready(new nn.BatchNorm({ inChannels: 2 })).forward(zeros([1, 3, 1, 1]))).toThrow(ShapeError);
    });
  });

  describe('pooling', () => {
    it('MaxPool2D', () => {
      expect(flat(new nn.MaxPool2D().forward(image(4, 4)))).toEqual([5, 7, 13, 15]);
      expect(new nn.MaxPool2D({ poolSize: 3, strides: 2, padding: 1 }).forward(zeros([1, 2, 112, 112])).shape).toEqual([
        1, 2, 56, 56,
      ]);
    });
    it('AvgPool2D', () => {
      expect(flat(new nn.AvgPool2D().forward(image(4, 4)))).toEqual([2.5, 4.5, 10.5, 12.5]);
      const padded = { poolSize: 2, strides: 2, padding: 1 };
      expect(flat(new nn.AvgPool2D(padded).forward(tensor([[[[4]]]])))).toEqual([1]);
      expect(flat(new nn.AvgPool2D({ ...padded, countIncludePad: false }).forward(tensor([[[[4]]]])))).toEqual([4]);
    });
    it('GlobalAvgPool2D', () => {
      const y = new nn.GlobalAvgPool2D().forward(image(2, 2, 2));
      expect(y.shape).toEqual([1, 2, 1, 1]);
      expect(flat(y)).toEqual([1.5, 5.5]);
    });
    it('refuses bad options', () => {
      expect(() => new nn.MaxPool2D({ poolSize: 0 })).toThrow(/MaxPool2D expected poolSize/);
      expect(() => new nn.AvgPool2D({ padding: -1 })).toThrow(/padding/);
      expect(() => new nn.MaxPool2D({ countIncludePad: true } as nn.PoolOptions)).toThrow(/countIncludePad/);
    });
  });

  describe('Activation, Flatten, Dropout', () => {
    it('Activation', () => {
      expect(flat(new nn.Activation('relu').forward(tensor([-1, 0, 2])))).toEqual([0, 0, 2]);
      expect(() => new nn.Activation('gelu' as 'relu')).toThrow(ConfigError);
    });
    it('Flatten', () => {
      expect(new nn.Flatten().forward(zeros([2, 3, 4])).shape).toEqual([2, 12]);
      expect(() => new nn.Flatten().forward(zeros([]))).toThrow(ShapeError);
    });
    it('Dropout works in training alone', () => {
      const dropout = new nn.Dropout(0.5);
      const x = uniform([1000], { low: 1, high: 2 });
      expect(dropout.forward(x).dataSync()).toEqual(x.dataSync());
      const y = flat(autograd.record(() => dropout.forward(x)));
      const zerosIn = y.filter((v) => v === 0).length;
      expect(zerosIn).toBeGreaterThan(400);
      expect(zerosIn).toBeLessThan(600);
      const values = x.dataSync();
      y.forEach((v, i) => {
        if (v !== 0) expect(v).toBeCloseTo(2 * (values[i] as number), 5);
      });
      expect(() => new nn.Dropout(1.5)).toThrow(/rate/);
    });
  });
});
