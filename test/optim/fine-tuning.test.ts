// Fine-tuning: frozen parameters, multipliers by pattern, BatchNorm with fixed statistics; against PyTorch, eager and captured.
import { describe, expect, it } from 'vitest';
import {
  autograd,
  ConfigError,
  capture,
  type Device,
  interop,
  loss,
  memory,
  models,
  nn,
  ops,
  setPrecision,
  Trainer,
  tensor,
  tidy,
  uniform,
  zeros,
} from '../../lib/index.js';
import { nameIn } from '../../lib/interop/weight-names.js';
import { supports } from '../helpers/devices.js';
import { decode, type Encoded, makeTensor, readJson } from '../helpers/fixtures.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { expectClose } from '../helpers/tolerances.js';

interface FineTuned {
  losses: number[];
  parameters: Record<string, Encoded>;
}

const { input, widths, classes, fineTuned } = readJson<{
  input: { shape: number[]; seed: number };
  widths: number[];
  classes: number;
  fineTuned: Record<'frozen' | 'moving', FineTuned>;
}>('weights');
const weights = new URL('../fixtures/weights/torchvision.pth', import.meta.url).pathname;
const stemAndFirst = /^(conv1|bn1|layer1)\./;

/** The fixture's run. */
async function run(device: Device, statistics: 'frozen' | 'moving', way: 'eager' | 'hybridized' | 'captured') {
  const net = models.cifarResNet(8, { widths, classes, shortcut: 'projection' });
  await interop.loadWeights(net, weights);
  net.collectParams(stemAndFirst).freeze();
  if (statistics === 'frozen') expect(nn.freezeStatistics(net)).toBe(9);
  const head = net.collectParams(/^fc\./);
  head.setattr('lrMult', 10);
  head.setattr('wdMult', 0);
  if (way === 'hybridized') net.hybridize();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.02, momentum: 0.9, wd: 0.01 });
  const x = makeTensor({ kind: 'uniform', ...input, scale: 1, offset: 0 }, device);
  const labels = tensor(Int32Array.of(1, 2), { device });
  const lossOf = new loss.SoftmaxCrossEntropyLoss();
  const plain = (images: typeof x, y: typeof x) => {
    const value = autograd.record(() => lossOf.forward(net.forward(images), y));
    value.backward();
    trainer.step(2);
    return value;
  };
  const step = way === 'captured' ? capture(plain) : async (images: typeof x, y: typeof x) => plain(images, y);
  const losses: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const values = await step(x, labels);
    losses.push((await values.mean().data())[0] as number);
  }
  return { net, losses };
}

const parametersOf = (net: nn.Block, names: readonly string[]) => {
  const byName = new Map([...net.collectParams()].map(([name, parameter]) => [nameIn('torchvision', name), parameter]));
  return names.map((name) => byName.get(name) as nn.Parameter);
};

onEachDevice((device) => {
  describe.each(['frozen', 'moving'] as const)('statistics %s', (statistics) => {
    const expected = fineTuned[statistics];
    it.each(['eager', 'hybridized', 'captured'] as const)("%s: PyTorch's losses and parameters", async (way) => {
      const { net, losses } = await run(device, statistics, way);
      expectClose(losses, expected.losses, { rtol: 1e-3, what: 'losses' });
      const names = Object.keys(expected.parameters);
      for (const [i, parameter] of parametersOf(net, names).entries())
        expectClose(await parameter.data().data(), decode(expected.parameters[names[i] as string] as Encoded), {
          rtol: 2e-3,
          atol: 2e-4,
          what: names[i],
        });
    });
    it.runIf(supports(device, 'bfloat16')).each(['eager', 'captured'] as const)(
      '%s in bfloat16: near the same losses, statistics as asked',
      async (way) => {
        setPrecision('bfloat16');
        try {
          const { net, losses } = await run(device, statistics, way);
          expectClose(losses, expected.losses, { rtol: 0.05, atol: 0.05, what: 'losses' });
          const before = (await original()).get('layer3.0.bn2.runningVar');
          const after = [...net.layer3!.collectParams().get('0.bn2.runningVar')!.data().dataSync()];
          if (statistics === 'frozen') expect(after).toEqual(before);
          else expect(after).not.toEqual(before);
        } finally {
          setPrecision('float32');
        }
      },
    );
  });

  describe('BatchNorm with useGlobalStats', () => {
    const made = () => {
      const norm = new nn.BatchNorm({ useGlobalStats: true, inChannels: 3 });
      norm.initialize();
      norm.runningMean.setData(Float32Array.of(0.5, -1, 2));
      norm.runningVar.setData(Float32Array.of(0.25, 4, 1));
      norm.gamma.setData(Float32Array.of(1, 2, -3));
      norm.beta.setData(Float32Array.of(0, 1, 2));
      return norm;
    };
    it('computes in training what it computes in prediction', () => {
      const norm = made();
      const x = uniform([2, 3, 5, 1], { low: -2, high: 2 });
      const head = uniform([2, 3, 5, 1]);
      const predicted = [norm.forward(x), norm.forwardRelu(x), norm.forwardAddRelu(x, head)];
      const trained = autograd.record(() => [norm.forward(x), norm.forwardRelu(x), norm.forwardAddRelu(x, head)]);
      for (const [i, y] of trained.entries()) expectClose(y.dataSync(), predicted[i]!.dataSync());
      expect([...norm.runningMean.data().dataSync()]).toEqual([0.5, -1, 2]);
      expect([...norm.runningVar.data().dataSync()]).toEqual([0.25, 4, 1]);
    });
    it('has the gradients of fixed statistics: dx = dy * gamma / sqrt(variance + epsilon), dgamma = sum(dy * normalised), dbeta = sum(dy)', () => {
      const norm = made();
      const [shape, plane] = [[2, 3, 5, 1], 5];
      const x = uniform(shape, { low: -2, high: 2 });
      const head = uniform(shape, { low: -1 });
      x.requiresGrad = true;
      tidy(() => autograd.record(() => norm.forward(x)).backward(head));
      const [mean, variance, gamma] = [
        [0.5, -1, 2],
        [0.25, 4, 1],
        [1, 2, -3],
      ] as [number[], number[], number[]];
      const [dgamma, dbeta, dx] = [[0, 0, 0], [0, 0, 0], [] as number[]] as [number[], number[], number[]];
      const [values, dy] = [x.dataSync(), head.dataSync()];
      for (const [i, value] of values.entries()) {
        const c = Math.floor(i / plane) % 3;
        const deviation = Math.sqrt(variance[c]! + 1e-5);
        dx.push((dy[i]! * gamma[c]!) / deviation);
        dgamma[c]! += (dy[i]! * (value - mean[c]!)) / deviation;
        dbeta[c]! += dy[i]!;
      }
      expectClose(x.grad!.dataSync(), dx);
      expectClose(norm.gamma.grad().dataSync(), dgamma);
      expectClose(norm.beta.grad().dataSync(), dbeta);
    });
    it('can be set and unset between steps, by pattern', () => {
      const net = new nn.Sequential().add(
        new nn.BatchNorm({ inChannels: 2 }),
        new nn.Sequential().add(new nn.BatchNorm({ inChannels: 2 })),
      );
      net.initialize();
      const x = uniform([4, 2, 3, 3], { low: 1, high: 2 });
      const isMoved = (name: string) => net.collectParams().get(`${name}.runningMean`)!.data().dataSync()[0] !== 0;
      expect(nn.freezeStatistics(net, /^1\./)).toBe(1);
      tidy(() => autograd.record(() => net.forward(x)));
      expect([isMoved('0'), isMoved('1.0')]).toEqual([true, false]);
      expect(nn.freezeStatistics(net, undefined, false)).toBe(2);
      tidy(() => autograd.record(() => net.forward(x)));
      expect(isMoved('1.0')).toBe(true);
    });
  });

  describe('frozen parameters', () => {
    const make = () => {
      const net = new nn.Sequential().add(
        new nn.Conv2D(4, { kernelSize: 3, inChannels: 2 }),
        new nn.BatchNorm({ inChannels: 4 }),
        new nn.Dense(3, { inUnits: 36 }),
      );
      net.initialize();
      return net;
    };
    const backward = (net: nn.Block) =>
      tidy(() => autograd.record(() => net.forward(uniform([2, 2, 5, 5]))).backward());
    it('get no gradient, and what stands before them is not kept for one', () => {
      const net = make();
      backward(net);
      const [conv, norm] = [net.collectParams(/^0\./), net.collectParams(/^1\./)];
      expect(conv.get('0.weight')!.grad().size).toBe(72);
      conv.freeze();
      norm.freeze();
      backward(net);
      for (const parameter of [...conv.values(), ...norm.values()])
        expect(() => parameter.grad()).toThrow(/it is not trainable/);
      expect(net.collectParams().get('2.weight')!.grad().size).toBe(108);
      const kept = () =>
        tidy(() => {
          const before = memory().bytes;
          const y = autograd.record(() => net.forward(zeros([2, 2, 5, 5])));
          return memory().bytes - before - y.size * 4;
        });
      const frozen = kept();
      norm.unfreeze();
      expect(kept()).toBeGreaterThan(frozen);
    });
    it('are trained again after unfreeze, running statistics never', () => {
      const net = make();
      const parameters = net.collectParams();
      const trainable = () => [...parameters].filter(([, { trainable: is }]) => is).map(([name]) => name);
      const before = trainable();
      parameters.freeze();
      expect(trainable()).toEqual([]);
      expect(() => backward(net)).toThrow(ConfigError); // nothing wants a gradient
      parameters.unfreeze();
      expect(trainable()).toEqual(before);
      expect(parameters.get('1.runningMean')!.trainable).toBe(false);
    });
    it.each(['eager', 'hybridized'] as const)('may change from step to step, %s', (way) => {
      const net = make();
      if (way === 'hybridized') net.hybridize();
      const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9 });
      const weight = net.collectParams().get('0.weight')!;
      const step = () => {
        backward(net);
        trainer.step(2);
        return [...weight.data().dataSync()];
      };
      const first = step();
      net.collectParams(/^0\./).freeze();
      expect(step()).toEqual(first);
      net.collectParams(/^0\./).unfreeze();
      expect(step()).not.toEqual(first);
    });
  });
});

/** The statistics and parameters of the file. */
async function original(): Promise<Map<string, number[]>> {
  const net = models.cifarResNet(8, { widths, classes, shortcut: 'projection' });
  await interop.loadWeights(net, weights);
  return new Map([...net.collectParams()].map(([name, parameter]) => [name, [...parameter.data().dataSync()]]));
}

describe('wrong arguments', () => {
  it('are refused by name', () => {
    const net = new nn.Sequential().add(new nn.BatchNorm());
    expect(() => net.collectParams().setattr('lr' as 'lrMult', 1)).toThrow(
      /name to be 'trainable' or 'lrMult' or 'wdMult'/,
    );
    expect(() => net.collectParams().setattr('lrMult', -1)).toThrow(ConfigError);
    expect(() => nn.freezeStatistics(net, 'bn' as unknown as RegExp)).toThrow(/regular expression/);
    expect(() => nn.freezeStatistics(ops as unknown as nn.Block)).toThrow(/a Block/);
    expect(() => nn.freezeStatistics(net, /x/, 1 as unknown as boolean)).toThrow(/frozen/);
    expect(() => new nn.BatchNorm({ useGlobalStats: 1 as unknown as boolean })).toThrow(/useGlobalStats/);
  });
});
