// Clipping by the norm of all gradients, against PyTorch's clip_grad_norm_; the same with accumulated batches and captured.
import { describe, expect, it } from 'vitest';
import {
  autocast,
  autograd,
  ConfigError,
  init,
  nn,
  type SgdOptions,
  type Tensor,
  Trainer,
  tensor,
  tidy,
  fit as train,
} from '../../lib/index.js';
import { decode, type Encoded, type InputSpec, readJson, valuesOf } from '../helpers/fixtures.js';
import { onEachDevice } from '../helpers/on-each-device.js';

interface ClipCase {
  name: string;
  options: SgdOptions & { batchSize?: number };
  weights: InputSpec[];
  gradients: InputSpec[][];
  expected: Encoded[][];
}

const { cases } = readJson<{ cases: ClipCase[] }>('clipNorm');

/** A net whose loss is the sum of all w * x: the gradient of each w is its x. */
class Weights extends nn.Block {
  first: nn.Parameter;
  second: nn.Parameter;
  constructor(specs: readonly InputSpec[]) {
    super();
    const [first, second] = specs.map((spec, i) => {
      const parameter = new nn.Parameter(`w${i}`, { shape: spec.shape });
      parameter.initialize({ init: new init.Zero() });
      parameter.setData(valuesOf(spec));
      return parameter;
    }) as [nn.Parameter, nn.Parameter];
    this.first = first;
    this.second = second;
  }
  override forward(x: Tensor, y: Tensor): Tensor {
    return this.first.data().mul(x).sum().add(this.second.data().mul(y).sum());
  }
}

/** 16 images of 1x2x2 pixels in two classes, in batches of `size`. */
function batches(size: number): [Tensor, Tensor][] {
  return Array.from({ length: 16 / size }, (_, batch) => {
    const rows = Array.from({ length: size }, (_, i) => batch * size + i);
    const pixels = rows.flatMap((row) => [0, 1, 2, 3].map((i) => Math.sin(1 + row * 4 + i) * 3));
    const labels = Int32Array.from(rows, (row) => row % 2);
    return [tensor(pixels, { shape: [size, 1, 2, 2] }), tensor(labels, { shape: [size], dtype: 'int32' })];
  });
}

function smallNet(options: SgdOptions): { net: nn.Sequential; trainer: Trainer } {
  const net = new nn.Sequential().add(new nn.Dense(2, { inUnits: 4 }));
  net.initialize({ init: new init.Constant(0.3) });
  return { net, trainer: new Trainer(net.collectParams(), 'sgd', options) };
}

const weightsOf = (net: nn.Block): number[] =>
  [...net.collectParams().values()].flatMap((parameter) => [...parameter.data().dataSync()]);

const expectClose = (found: readonly number[], wanted: readonly number[], digits = 5): void => {
  expect(found.length).toBe(wanted.length);
  for (const [i, value] of found.entries()) expect(value, `weight ${i}`).toBeCloseTo(wanted[i] as number, digits);
};

onEachDevice((device) => {
  describe('clipNorm', () => {
    describe.each(['float32', 'float16'] as const)('with the loss scale of %s', (precision) => {
      it.each(cases)('$name', ({ options: { batchSize = 1, ...options }, weights, gradients, expected }) => {
        const net = new Weights(weights);
        const trainer = new Trainer(net.collectParams(), 'sgd', options);
        for (const [step, specs] of gradients.entries()) {
          const inputs = specs.map((spec) => tensor(valuesOf(spec), { shape: spec.shape })) as [Tensor, Tensor];
          tidy(() => autocast(precision, () => autograd.record(() => net.forward(...inputs)).backward()));
          expect(net.first.grad().lossScale).toBe(precision === 'float32' ? 1 : 1024);
          trainer.step(batchSize);
          const [first, second] = (expected[step] as Encoded[]).map(decode) as [Float32Array, Float32Array];
          expectClose([...net.first.data().dataSync()], [...first]);
          expectClose([...net.second.data().dataSync()], [...second]);
        }
      });
    });

    it('gives the same with two batches of 8 summed as with one of 16', async () => {
      const options = { learningRate: 1, clipNorm: 0.2 };
      const [whole, halves, free] = [smallNet(options), smallNet(options), smallNet({ learningRate: 1 })];
      await train(whole.net, whole.trainer, { train: batches(16), epochs: 3, device });
      await train(halves.net, halves.trainer, { train: batches(8), epochs: 3, device, accumulate: 2 });
      await train(free.net, free.trainer, { train: batches(16), epochs: 3, device });
      expectClose(weightsOf(halves.net), weightsOf(whole.net));
      expect(Math.abs((weightsOf(free.net)[0] as number) - (weightsOf(whole.net)[0] as number))).toBeGreaterThan(0.01);
    });

    it('gives the same in a hybridized net', () => {
      const results = [false, true].map((captured) => {
        const { net, trainer } = smallNet({ learningRate: 1, clipNorm: 0.2 });
        net.hybridize(captured);
        for (const [X, y] of batches(8)) {
          autograd.record(() => net.forward(X).mul(y.reshape([8, 1]).astype('float32'))).backward();
          trainer.step(8);
        }
        return weightsOf(net);
      });
      expectClose(results[1] as number[], results[0] as number[]);
    });
  });
});

describe('clipNorm as an option', () => {
  it.each([0, -1, Number.NaN, 'much'])('refuses %s', (clipNorm) => {
    expect(() => smallNet({ learningRate: 1, clipNorm: clipNorm as number })).toThrow(ConfigError);
    expect(() => smallNet({ learningRate: 1, clipNorm: clipNorm as number })).toThrow(
      /clipNorm to be a finite number above 0/,
    );
  });
});
