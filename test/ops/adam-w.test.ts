// The AdamW update of two parameters over three steps, against torch.optim.AdamW.
import { describe, expect, test } from 'vitest';
import { ConfigError, ops, tensor, tidy, zeros } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { decode, type Encoded, type InputSpec, makeTensor, readJson } from '../helpers/fixtures.js';
import { expectClose } from '../helpers/tolerances.js';

interface AdamWCase {
  name: string;
  options: {
    learningRate: number;
    beta1?: number;
    beta2?: number;
    epsilon?: number;
    wd?: number;
    rescale?: number;
    clipGradient?: number;
  };
  weights: InputSpec[];
  /** By step, by parameter. */
  gradients: InputSpec[][];
  expected: Encoded[][];
}

describe.each(testDevices)('adamWUpdate on %s', (device) => {
  test.each(readJson<{ cases: AdamWCase[] }>('adamWUpdate').cases)(
    '$name',
    ({ options, weights: specs, gradients, expected }) => {
      tidy(() => {
        const { learningRate, wd = 0.01, rescale = 1, clipGradient: clip = 0 } = options;
        const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
        const weights = specs.map((spec) => makeTensor(spec, device));
        const [means, squares] = [0, 1].map(() => weights.map(({ shape }) => zeros(shape, { device })));
        for (const [step, specsOfStep] of gradients.entries()) {
          ops.adamWUpdate(
            weights,
            specsOfStep.map((spec) => makeTensor(spec, device)),
            means!,
            squares!,
            {
              rescale,
              clip,
              beta1,
              beta2,
              epsilon,
              lrs: weights.map(() => learningRate),
              wds: weights.map(() => wd),
              counts: weights.map(() => step + 1),
            },
          );
          for (const [i, weight] of weights.entries()) {
            expectClose(weight.dataSync(), decode(expected[step]![i]!), {
              what: `parameter ${i} after step ${step + 1}`,
              rtol: 1e-5,
              atol: 2e-6,
            });
          }
        }
      });
    },
  );

  const usual = { rescale: 1, clip: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

  test('uses the rate, the decay and the count of each parameter', () => {
    tidy(() => {
      const weights = [tensor([1, -2], { device }), tensor([1, -2], { device })];
      const grads = [tensor([0.5, 3], { device }), tensor([0.5, 3], { device })];
      const [means, squares] = [0, 1].map(() => weights.map(({ shape }) => zeros(shape, { device })));
      ops.adamWUpdate(weights, grads, means!, squares!, { ...usual, lrs: [0.1, 0.2], wds: [0, 0.5], counts: [1, 3] });
      // The first step goes a whole rate along each sign; a later one that begins with zeros a part of it.
      expectClose(weights[0]!.dataSync(), [0.9, -2.1], { what: 'first' });
      const step = (0.2 * 0.1) / (1 - 0.9 ** 3) / Math.sqrt(0.001 / (1 - 0.999 ** 3));
      expectClose(weights[1]!.dataSync(), [0.9 - step, -1.8 - step], { what: 'second', rtol: 1e-4 });
    });
  });

  test('takes NaN from a gradient into its element alone', () => {
    tidy(() => {
      const weight = tensor([1, 2, 3], { device });
      const [mean, square] = [zeros([3], { device }), zeros([3], { device })];
      const hyper = { ...usual, clip: 1, lrs: [0.1], wds: [0], counts: [1] };
      ops.adamWUpdate([weight], [tensor([1, NaN, 0], { device })], [mean], [square], hyper);
      const values = weight.dataSync();
      expect(values[1]).toBeNaN();
      expectClose([values[0]!, values[2]!], [0.9, 3], { what: 'the others' });
    });
  });

  test('refuses lists of different lengths', () => {
    tidy(() => {
      const w = zeros([2], { device });
      const hyper = { ...usual, lrs: [1], wds: [0], counts: [1] };
      expect(() => ops.adamWUpdate([w], [w], [], [w], hyper)).toThrow(ConfigError);
      expect(() => ops.adamWUpdate([w], [w], [], [w], hyper)).toThrow('expected 1 means, one a weight, got 0');
    });
  });
});
