// The trainer: the update rule against plain arithmetic, options, missing gradients.
import { describe, expect, it } from 'vitest';
import {
  type AdamWOptions,
  autograd,
  ConfigError,
  init,
  lrScheduler,
  memory,
  nn,
  ops,
  type SgdOptions,
  type Tensor,
  Trainer,
  tensor,
  tidy,
} from '../../lib/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';

/** A net whose loss is sum(w * x): the gradient of w is x. */
class Weights extends nn.Block {
  w = new nn.Parameter('w', { shape: [2], init: new init.Constant(1) });
  v = new nn.Parameter('v', { shape: [2], init: new init.Constant(-2) });
  override forward(x: Tensor): Tensor {
    return this.w.data().mul(x).sum().add(this.v.data().mul(x).sum());
  }
}

const made = (options: SgdOptions) => {
  const net = new Weights();
  net.initialize();
  return { net, trainer: new Trainer(net.collectParams(), 'sgd', options) };
};

const madeAdamW = (options: AdamWOptions) => {
  const net = new Weights();
  net.initialize();
  return { net, trainer: new Trainer(net.collectParams(), 'adamw', options) };
};

const backward = (net: nn.Block, x: number[]) => tidy(() => autograd.record(() => net.forward(tensor(x))).backward());

/** Gluon's rule in plain numbers. */
function expected(
  w: number,
  grads: number[],
  { learningRate: lr = 0, momentum = 0, wd = 0, nesterov = false, clipGradient = Infinity }: SgdOptions,
): number {
  let m = 0;
  for (const grad of grads) {
    const g = Math.min(clipGradient, Math.max(-clipGradient, grad)) + wd * w;
    m = momentum * m - lr * g;
    w += nesterov ? momentum * m - lr * g : m;
  }
  return w;
}

/** PyTorch's rule in plain numbers. */
function expectedByAdamW(
  w: number,
  grads: number[],
  { learningRate: lr = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, wd = 0.01 }: AdamWOptions,
): number {
  let [m, v] = [0, 0];
  for (const [i, g] of grads.entries()) {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g ** 2;
    const [mean, square] = [m / (1 - beta1 ** (i + 1)), v / (1 - beta2 ** (i + 1))];
    w = (1 - lr * wd) * w - (lr * mean) / (Math.sqrt(square) + epsilon);
  }
  return w;
}

onEachDevice(() => {
  describe('step of AdamW', () => {
    const gradients = [0.5, -1.5, 2];
    it.each([{ learningRate: 0.1 }, { learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 0.1, wd: 0.5 }])(
      'follows the rule for %j, with the multipliers of each parameter',
      (options) => {
        const { net, trainer } = madeAdamW(options);
        net.v.lrMult = 0.5;
        net.v.wdMult = 0;
        for (const g of gradients) {
          backward(net, [4 * g, -g]);
          trainer.step(4);
        }
        const [w, v] = [net.w.data().dataSync(), net.v.data().dataSync()];
        const slower = { ...options, learningRate: 0.05, wd: 0 };
        for (const [i, scale] of [1, -0.25].entries()) {
          const grads = gradients.map((g) => scale * g);
          expect(w[i]).toBeCloseTo(expectedByAdamW(1, grads, options), 5);
          expect(v[i]).toBeCloseTo(expectedByAdamW(-2, grads, slower), 5);
        }
      },
    );
    it('counts the updates of each parameter: one that is thawed later begins at its first', () => {
      const { net, trainer } = madeAdamW({ learningRate: 0.1, wd: 0 });
      net.v.trainable = false;
      for (const g of gradients) {
        backward(net, [g, g]);
        trainer.step(1);
      }
      net.v.trainable = true;
      backward(net, [3, 3]);
      trainer.step(1);
      expect(net.v.data().dataSync()[0]).toBeCloseTo(expectedByAdamW(-2, [3], { learningRate: 0.1, wd: 0 }), 5);
      const all = [...gradients, 3];
      expect(net.w.data().dataSync()[0]).toBeCloseTo(expectedByAdamW(1, all, { learningRate: 0.1, wd: 0 }), 5);
    });
  });

  describe('step', () => {
    const cases: SgdOptions[] = [
      { learningRate: 0.1 },
      { learningRate: 0.1, momentum: 0.9 },
      { learningRate: 0.1, momentum: 0.9, wd: 0.01 },
      { learningRate: 0.1, momentum: 0.9, wd: 0.01, nesterov: true },
      { learningRate: 0.1, wd: 0.5, clipGradient: 0.7 },
    ];
    it.each(cases)('follows the rule for %j', (options) => {
      const { net, trainer } = made(options);
      for (const x of [
        [2, 6],
        [-4, 1],
        [3, 3],
      ]) {
        backward(net, x);
        trainer.step(2);
      }
      const [w, v] = [net.w.data().dataSync(), net.v.data().dataSync()];
      for (const [i, grads] of [
        [1, -2, 1.5],
        [3, 0.5, 1.5],
      ].entries()) {
        expect(w[i]).toBeCloseTo(expected(1, grads, options), 5);
        expect(v[i]).toBeCloseTo(expected(-2, grads, options), 5);
      }
      expect(trainer.numUpdate).toBe(3);
    });
    it('takes lrMult and wdMult of each parameter', () => {
      const { net, trainer } = made({ learningRate: 0.1, wd: 0.5 });
      net.w.lrMult = 3;
      net.v.wdMult = 0;
      backward(net, [1, 1]);
      trainer.step(1);
      expect(net.w.data().dataSync()[0]).toBeCloseTo(1 - 0.3 * (1 + 0.5), 6);
      expect(net.v.data().dataSync()[0]).toBeCloseTo(-2 - 0.1, 6);
    });
    it('leaves parameters that are not trainable', () => {
      const { net, trainer } = made({ learningRate: 0.1, momentum: 0.5 });
      net.v.trainable = false;
      backward(net, [1, 1]);
      trainer.step(1);
      expect([...net.v.data().dataSync()]).toEqual([-2, -2]);
      expect(net.w.data().dataSync()[0]).toBeCloseTo(0.9, 6);
    });
    it('names a parameter without gradient and changes nothing', () => {
      const { net, trainer } = made({ learningRate: 0.1 });
      expect(() => trainer.step(1)).toThrow(/'w' to have a gradient.*backward\(\)/);
      tidy(() => autograd.record(() => net.w.data().sum()).backward());
      expect(() => trainer.step(1)).toThrow(/'v'/);
      expect([...net.w.data().dataSync()]).toEqual([1, 1]);
      expect(trainer.numUpdate).toBe(0);
    });
    it('refuses a gradient that an earlier step used, and changes nothing', () => {
      const { net, trainer } = made({ learningRate: 0.1, momentum: 0.5 });
      backward(net, [1, 1]);
      trainer.step(1);
      const before = [...net.w.data().dataSync(), ...net.v.data().dataSync()];
      expect(() => trainer.step(1)).toThrow(ConfigError);
      expect(() => trainer.step(1)).toThrow(/'w' to have a new gradient.*backward\(\)/);
      tidy(() => autograd.record(() => net.w.data().sum()).backward());
      expect(() => trainer.step(1)).toThrow(/'v' to have a new gradient/);
      expect([[...net.w.data().dataSync(), ...net.v.data().dataSync()], trainer.numUpdate]).toEqual([before, 1]);
    });
    it('leaves parameters with such gradients with ignoreStaleGrad', () => {
      const { net, trainer } = made({ learningRate: 0.5 });
      backward(net, [1, 1]);
      trainer.step(1);
      tidy(() => autograd.record(() => net.w.data().sum()).backward());
      trainer.step(1, { ignoreStaleGrad: true });
      expect([[...net.w.data().dataSync()], [...net.v.data().dataSync()]]).toEqual([
        [0, 0],
        [-2.5, -2.5],
      ]);
      expect(() => trainer.step(1, { ignoreStaleGrad: 1 as never })).toThrow(ConfigError);
      expect(() => trainer.step(1, { ignoreStale: true } as never)).toThrow(/ignoreStaleGrad/);
    });
    it('takes a gradient that was changed in place as a new one', () => {
      const { net, trainer } = made({ learningRate: 0.5 });
      backward(net, [1, 1]);
      trainer.step(1);
      for (const parameter of [net.w, net.v]) tidy(() => ops.assign(parameter.grad(), tensor([2, 4])));
      trainer.step(1);
      expect([...net.w.data().dataSync()]).toEqual([-0.5, -1.5]);
    });
    it('names a parameter without values', () => {
      const trainer = new Trainer(new nn.Dense(1).collectParams(), 'sgd', { learningRate: 1 });
      expect(() => trainer.step(1)).toThrow(/'weight' to have values/);
    });
    it.each([0, -1, Number.NaN, Infinity, '1'])('refuses batch size %s', (batchSize) => {
      expect(() => made({ learningRate: 1 }).trainer.step(batchSize as number)).toThrow(ConfigError);
    });
    it('keeps no tensors but the momenta', () => {
      const { net, trainer } = made({ learningRate: 0.1, momentum: 0.9 });
      const step = () => {
        backward(net, [1, 2]);
        trainer.step(1);
      };
      step();
      const before = memory().tensors;
      step();
      expect(memory().tensors).toBe(before);
    });
  });

  describe('learningRate', () => {
    it('can be read and set', () => {
      const { net, trainer } = made({ learningRate: 0.1 });
      trainer.learningRate = 0.5;
      expect(trainer.learningRate).toBe(0.5);
      backward(net, [1, 1]);
      trainer.step(1);
      expect(net.w.data().dataSync()[0]).toBeCloseTo(0.5, 6);
      expect(() => {
        trainer.learningRate = -1;
      }).toThrow(ConfigError);
    });
    it('follows the schedule from the first step on', () => {
      const schedule = new lrScheduler.MultiFactorScheduler({ step: [1, 2], factor: 0.1 });
      const { net, trainer } = made({ learningRate: 1, lrScheduler: schedule });
      const rates = [1, 2, 3].map(() => {
        backward(net, [1, 1]);
        trainer.step(1);
        return trainer.learningRate;
      });
      rates.forEach((rate, i) => {
        expect(rate).toBeCloseTo([1, 0.1, 0.01][i] as number, 12);
      });
      expect(net.w.data().dataSync()[0]).toBeCloseTo(1 - 1.11, 5);
      expect(() => {
        trainer.learningRate = 1;
      }).toThrow(/lrScheduler/);
    });
    it('comes from the schedule where it is not given', () => {
      expect(
        made({ lrScheduler: new lrScheduler.FactorScheduler({ step: 5, baseLr: 0.3 }) }).trainer.learningRate,
      ).toBe(0.3);
    });
  });
});

describe('options', () => {
  const bad: [object, RegExp][] = [
    [{}, /learningRate.*got undefined/],
    [{ learningRate: Number.NaN }, /learningRate.*got NaN/],
    [{ learningRate: -0.1 }, /learningRate/],
    [{ learningRate: 0.1, momentum: -1 }, /momentum/],
    [{ learningRate: 0.1, momentum: 1.5 }, /momentum/],
    [{ learningRate: 0.1, wd: -1 }, /wd/],
    [{ learningRate: 0.1, clipGradient: 0 }, /clipGradient/],
    [{ learningRate: 0.1, nesterov: true }, /momentum above 0/],
    [{ learningRate: 0.1, learning_rate: 0.1 }, /does not know the option 'learning_rate'/],
    [{ learningRate: 0.1, lrScheduler: (n: number) => n }, /lrScheduler/],
  ];
  it.each(bad)('refuses %j', (options, message) => {
    expect(() => made(options as SgdOptions)).toThrow(ConfigError);
    expect(() => made(options as SgdOptions)).toThrow(message);
  });
  const badOfAdamW: [object, RegExp][] = [
    [{}, /learningRate.*got undefined/],
    [{ learningRate: 0.1, beta1: 1 }, /beta1 to be below 1, got 1/],
    [{ learningRate: 0.1, beta2: -0.5 }, /beta2/],
    [{ learningRate: 0.1, beta2: 1.5 }, /beta2/],
    [{ learningRate: 0.1, epsilon: 0 }, /epsilon/],
    [{ learningRate: 0.1, wd: -1 }, /wd/],
    [{ learningRate: 0.1, momentum: 0.9 }, /does not know the option 'momentum'.*beta1/],
  ];
  it.each(badOfAdamW)('of AdamW refuses %j', (options, message) => {
    expect(() => madeAdamW(options)).toThrow(ConfigError);
    expect(() => madeAdamW(options)).toThrow(message);
  });
  it('refuses other optimisers and other parameters', () => {
    const params = new Weights().collectParams();
    expect(() => new Trainer(params, 'adam' as 'sgd', { learningRate: 1 })).toThrow(/'sgd'/);
    expect(() => new Trainer([] as unknown as nn.ParameterDict, 'sgd', { learningRate: 1 })).toThrow(/collectParams/);
    expect(() => new Trainer(new nn.ParameterDict(), 'sgd', { learningRate: 1 })).toThrow(/map of 0 entries/);
  });
});
