// Blocks at work, on every device: initialisation, memory, error messages, inputs, capture.
import { describe, expect, it } from 'vitest';
import {
  autograd,
  ConfigError,
  init,
  loss,
  memory,
  nn,
  ShapeError,
  seed,
  type Tensor,
  tensor,
  tidy,
  uniform,
  zeros,
} from '../../lib/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { Outer } from './blocks.js';

onEachDevice(() => {
  describe('initialize', () => {
    it('draws weights with the given initialiser and leaves biases at 0, gammas at 1', () => {
      const net = new nn.Sequential().add(
        new nn.Conv2D(2, { kernelSize: 3, inChannels: 1 }),
        new nn.BatchNorm({ inChannels: 2 }),
      );
      net.initialize({ init: new init.Constant(3) });
      const values = Object.fromEntries(
        [...net.collectParams()].map(([name, parameter]) => [name, [...new Set(parameter.data().dataSync())]]),
      );
      expect(values).toEqual({
        '0.weight': [3],
        '0.bias': [0],
        '1.gamma': [1],
        '1.beta': [0],
        '1.runningMean': [0],
        '1.runningVar': [1],
      });
    });
    it('by default draws from Uniform(0.07)', () => {
      const dense = new nn.Dense(50, { inUnits: 50 });
      dense.initialize();
      const values = dense.weight.data().dataSync();
      expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(0.07));
      expect(Math.max(...values)).toBeGreaterThan(0.06);
    });
    it('gives the same weights for one seed, whether shapes are stated or inferred', () => {
      const weights = (inUnits: number) => {
        seed(11);
        const net = new nn.Sequential().add(new nn.Dense(4, { inUnits }), new nn.Dense(3, { inUnits: 4 }));
        net.initialize();
        uniform([10]).dispose(); // other draws in between change nothing
        net.forward(zeros([1, 5])).dispose();
        return [...net.collectParams().values()].map((parameter) => [...parameter.data().dataSync()]);
      };
      expect(weights(0)).toEqual(weights(5));
    });
    it('keeps values unless forced', () => {
      const dense = new nn.Dense(2, { inUnits: 2 });
      dense.initialize({ init: new init.Constant(1) });
      const before = dense.weight.data();
      dense.initialize({ init: new init.Constant(2) });
      expect([...dense.weight.data().dataSync()]).toEqual([1, 1, 1, 1]);
      dense.initialize({ init: new init.Constant(2), forceReinit: true });
      expect([...dense.weight.data().dataSync()]).toEqual([2, 2, 2, 2]);
      expect(dense.weight.data()).toBe(before);
    });
    it('refuses unknown options and what is no initialiser', () => {
      const dense = new nn.Dense(2);
      expect(() => dense.initialize({ ctx: 1 } as object)).toThrow(/'ctx'/);
      expect(() => dense.initialize({ init: 'xavier' as unknown as init.Initializer })).toThrow(/new init.Xavier/);
      expect(() => dense.initialize({ forceReinit: 1 as unknown as boolean })).toThrow(/forceReinit/);
    });
    it('a forward before it names the parameter and the remedy', () => {
      const net = new nn.Sequential().add(new nn.Flatten(), new nn.Dense(2));
      expect(() => net.forward(zeros([1, 3]))).toThrow(ConfigError);
      expect(() => net.forward(zeros([1, 3]))).toThrow(
        /in layer 1: Parameter 'dense\d+\.weight' has no values yet.*initialize\(\)/,
      );
    });
  });

  describe('memory', () => {
    it('forward frees what it does not return', () => {
      const net = new Outer();
      net.initialize();
      const x = zeros([2, 3]);
      net.forward(x).dispose();
      const before = memory().tensors;
      const y = net.forward(x);
      expect(memory().tensors).toBe(before + 1);
      y.dispose();
      expect(memory().tensors).toBe(before);
    });
    it('a training step returns to the same number of tensors', () => {
      const net = new Outer();
      net.initialize();
      const x = zeros([2, 3]);
      const step = () => tidy(() => autograd.record(() => net.forward(x).sum()).backward());
      step();
      const before = memory();
      step();
      expect(memory().tensors).toBe(before.tensors);
      expect(memory().bytes).toBe(before.bytes);
    });
    it('parameters outlive the scope in which their shapes are inferred', () => {
      const dense = new nn.Dense(2);
      dense.initialize();
      tidy(() => void dense.forward(zeros([1, 3])));
      expect(dense.weight.data().disposed).toBe(false);
      expect(dense.weight.shape).toEqual([2, 3]);
    });
  });

  describe('errors', () => {
    it('name the innermost layer once and keep class and stack', () => {
      class Fails extends nn.Block {
        override forward(): Tensor {
          throw new ShapeError('expected this, got that.', { expected: 1 });
        }
      }
      const net = new nn.Sequential().add(new nn.Sequential().add(new nn.Flatten(), new Fails()));
      let caught: unknown;
      try {
        net.forward(zeros([1, 2]));
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(ShapeError);
      const { message, details, stack } = caught as ShapeError;
      expect(message).toBe('in layer 0.1: expected this, got that.');
      expect(details).toEqual({ expected: 1, layer: '0.1' });
      expect(stack).toContain('in layer 0.1: expected this, got that.');
    });
    it('name the block itself when it is the outermost', () => {
      const dense = new nn.Dense(2, { inUnits: 3 });
      dense.initialize();
      expect(() => dense.forward(zeros([1, 4]))).toThrow(new RegExp(`^in layer ${dense.name}: `));
      expect(() => dense.forward(zeros([1, 4]))).toThrow(ShapeError);
    });
    it('of others are left alone', () => {
      class Fails extends nn.Block {
        override forward(): Tensor {
          throw new TypeError('mine');
        }
      }
      expect(() => new Fails().forward()).toThrow(new TypeError('mine'));
    });
  });

  describe('inputs', () => {
    it('must be tensors, as many as forward names', () => {
      const net = new nn.Sequential().add(new nn.Flatten());
      expect(() => net.forward(...([] as unknown as [Tensor]))).toThrow(
        /Sequential\.forward\(\) expected 1 inputs, got 0/,
      );
      expect(() => net.forward('x' as unknown as Tensor)).toThrow(/expected input 0 to be a Tensor, got string/);
      expect(() => net.forward(null as unknown as Tensor)).toThrow(ConfigError);
      expect(() =>
        new loss.SoftmaxCrossEntropyLoss().forward(...([zeros([1, 2])] as unknown as [Tensor, Tensor])),
      ).toThrow(/expected 2 inputs, got 1/);
    });
  });

  describe('hybridize', () => {
    it('marks the block and all below it, and changes no result', () => {
      const net = new Outer();
      net.initialize();
      const x = tensor([[1, 2, 3]]);
      const before = net.forward(x).toArray();
      net.hybridize();
      expect([...net.descendants()].every(([, block]) => block.hybridized)).toBe(true);
      expect(net.forward(x).toArray()).toEqual(before);
      net.hybridize(false);
      expect(net.hybridized).toBe(false);
    });
  });
});
