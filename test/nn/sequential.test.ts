// Sequential: order, positions, fusion, freeing; and the residual block.
import { describe, expect, it } from 'vitest';
import {
  autograd,
  ConfigError,
  init,
  memory,
  nn,
  ops,
  seed,
  type Tensor,
  tidy,
  uniform,
  zeros,
} from '../../lib/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice(() => {
  /** Relative difference of two tensors' values, by the largest. */
  function difference(a: Tensor, b: Tensor): number {
    const [x, y] = [a.dataSync(), b.dataSync()];
    expect(a.shape).toEqual(b.shape);
    const largest = Math.max(1e-12, ...y.map(Math.abs));
    return Math.max(...x.map((v, i) => Math.abs(v - (y[i] as number)))) / largest;
  }

  describe('Sequential', () => {
    it('runs in order; gives its blocks by position', () => {
      const [flatten, dense] = [new nn.Flatten(), new nn.Dense(2)];
      const net = new nn.Sequential().add(flatten).add(dense);
      net.initialize();
      expect(net.forward(zeros([3, 2, 2])).shape).toEqual([3, 2]);
      expect(net.length).toBe(2);
      expect(net.at(0)).toBe(flatten);
      expect(net.at(-1)).toBe(dense);
      expect([...net]).toEqual([flatten, dense]);
      expect(() => net.at(2)).toThrow(ConfigError);
      expect(() => net.add(3 as unknown as nn.Block)).toThrow(/to be a Block, got number/);
    });
    it('an empty one gives its input back', () => {
      const x = zeros([2]);
      expect(new nn.Sequential().forward(x)).toBe(x);
      expect(x.disposed).toBe(false);
    });
    it('does not free its input, nor tensors that a block owns', () => {
      class Gives extends nn.Block {
        weight = new nn.Parameter('w', { shape: [2], init: new init.One() });
        override forward(): Tensor {
          return this.weight.data();
        }
      }
      const gives = new Gives();
      const net = new nn.Sequential().add(new nn.Activation('relu'), gives, new nn.Activation('relu'));
      net.initialize();
      const x = zeros([2]);
      net.forward(x);
      expect(x.disposed).toBe(false);
      expect(gives.weight.data().disposed).toBe(false);
    });
    it('frees intermediates as it goes', () => {
      const net = new nn.Sequential().add(...Array.from({ length: 20 }, () => new nn.Activation('relu')));
      const x = zeros([1, 1000]);
      const seen: number[] = [];
      class Count extends nn.Block {
        override forward(input: Tensor): Tensor {
          seen.push(memory().tensors);
          return ops.relu(input);
        }
      }
      net.add(new Count());
      const before = memory().tensors;
      net.forward(x);
      expect(seen).toEqual([before + 1]);
    });
    it('fused BatchNorm and ReLU agree with the single ops, forward and backward', () => {
      seed(3);
      const [norm, relu] = [new nn.BatchNorm(), new nn.Activation('relu')];
      const fused = new nn.Sequential().add(norm, relu);
      fused.initialize();
      norm.forward(zeros([1, 3, 1, 1])); // infers the shapes
      norm.gamma.setData(Float32Array.of(0.5, 1, 2));
      norm.beta.setData(Float32Array.of(-0.1, 0, 0.3));
      const x = uniform([4, 3, 5, 5], { low: -1, high: 1 });
      x.requiresGrad = true;
      const head = uniform([4, 3, 5, 5]);
      const results = [(t: Tensor) => fused.forward(t), (t: Tensor) => relu.forward(norm.forward(t))].map((forward) => {
        norm.runningMean.setData(new Float32Array(3));
        const y = autograd.record(() => forward(x));
        y.backward(head);
        return [y, x.grad as Tensor, norm.gamma.grad(), norm.beta.grad(), norm.runningMean.data()].map((t) =>
          ops.copy(t.detach()),
        );
      });
      for (const [i, a] of (results[0] as Tensor[]).entries())
        expect(difference(a, results[1]?.[i] as Tensor)).toBeLessThan(1e-5);
      expect(difference(fused.forward(x), relu.forward(norm.forward(x)))).toBeLessThan(1e-6); // prediction
    });
  });

  /** The chapter's residual block, written out. */
  class Written extends nn.Block {
    constructor(readonly block: nn.Residual) {
      super();
    }
    override forward(x: Tensor): Tensor {
      const { conv1, bn1, conv2, bn2, conv3 } = this.block;
      let y = bn1.forward(conv1.forward(x)).relu();
      y = bn2.forward(conv2.forward(y));
      return y.add(conv3 ? conv3.forward(x) : x).relu();
    }
  }

  describe('Residual', () => {
    it('keeps the shape, or changes it with the 1x1 convolution', () => {
      const x = uniform([4, 3, 6, 6]);
      const same = new nn.Residual(3);
      same.initialize();
      expect(same.forward(x).shape).toEqual([4, 3, 6, 6]);
      const halved = new nn.Residual(6, { use1x1Conv: true, strides: 2 });
      halved.initialize();
      expect(halved.forward(x).shape).toEqual([4, 6, 3, 3]);
    });
    it("has the chapter's parameters", () => {
      const names = [...new nn.Residual(6, { use1x1Conv: true }).collectParams().keys()];
      expect(names).toEqual([
        'conv1.weight',
        'conv1.bias',
        'bn1.gamma',
        'bn1.beta',
        'bn1.runningMean',
        'bn1.runningVar',
        'conv2.weight',
        'conv2.bias',
        'bn2.gamma',
        'bn2.beta',
        'bn2.runningMean',
        'bn2.runningVar',
        'conv3.weight',
        'conv3.bias',
      ]);
      expect(new nn.Residual(6).conv3).toBeNull();
    });
    it.each([{}, { use1x1Conv: true, strides: 2 }])(
      'computes what the chapter writes, with its gradients: %j',
      (options) => {
        seed(5);
        const block = new nn.Residual(3, options);
        block.initialize({ init: new init.Xavier() });
        const x = uniform([2, 3, 7, 5], { low: -1, high: 1 });
        x.requiresGrad = true;
        const written = new Written(block);
        const run = (net: nn.Block) => {
          const y = autograd.record(() => net.forward(x));
          y.backward();
          const grads = [...block.collectParams(/weight|gamma|beta/).values()].map((p) => p.grad());
          return [y, x.grad as Tensor, ...grads].map((t) => ops.copy(t.detach()));
        };
        const [fused, plain] = [run(block), run(written)];
        for (const [i, a] of fused.entries()) expect(difference(a, plain[i] as Tensor)).toBeLessThan(1e-4);
      },
    );
    it('refuses an input of other channels', () => {
      const block = new nn.Residual(4);
      block.initialize();
      expect(() => tidy(() => block.forward(zeros([1, 3, 4, 4])))).toThrow(/addRelu|shape/i);
      expect(() => new nn.Residual(3, { use1x1conv: true } as nn.ResidualOptions)).toThrow(/use1x1conv/);
    });
  });
});
