// batchNorm against PyTorch, and against plain loops on random shapes.
import { describe, expect, test } from 'vitest';
import { autograd, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { run } from '../../lib/ops/run.js';
import { testDevices } from '../helpers/devices.js';
import { testFixtures } from '../helpers/fixture-tests.js';
import { batchNormTraining } from '../helpers/plain-batch-norm.js';
import { Random } from '../helpers/random.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

// Small variances and far means lose digits in any float32 computation; gradients are divided by the deviation.
testFixtures(
  'batchNorm',
  ({ x, gamma, beta, runningMean, runningVar }, options: ops.BatchNormOptions) =>
    ops.batchNorm(x, gamma, beta, runningMean, runningVar, options),
  { rtol: 3e-4, atol: 3e-5 },
);

describe.each(testDevices)('batchNorm in training on %s equals plain loops', (device) => {
  const random = new Random(11);
  const cases = Array.from({ length: 20 }, (_, seed) => ({
    seed,
    shape: [
      random.integer(2, 9),
      random.choose([1, 3, 8, 16, 20, 33]),
      random.integer(1, 6),
      random.integer(1, 6),
    ] as const,
    relu: random.integer(0, 1) === 1,
    momentum: random.choose([0, 0.5, 0.9, 1]),
    epsilon: random.choose([1e-5, 1e-3, 0.1]),
  }));
  test.each(cases)('random case $seed: $shape, relu $relu', ({ seed, shape, ...options }) => {
    tidy(() => {
      const channels = [shape[1]];
      const vectors = [0, 1, 2, 3].map((i) => uniformValues(shape[1], 2000 + 10 * seed + i, 0.5, i % 3 === 0 ? 1 : 0)); // gamma, beta, mean, variance
      const [xValues, dyValues] = [
        uniformValues(sizeOf(shape), 3000 + seed),
        uniformValues(sizeOf(shape), 4000 + seed),
      ];
      const x = tensor(xValues, { shape, device });
      const [gamma, beta, mean, variance] = vectors.map((values) => tensor(values, { shape: channels, device }));
      for (const input of [x, gamma!, beta!]) input.requiresGrad = true;
      const y = autograd.record(() =>
        ops.batchNorm(x, gamma!, beta!, mean!, variance!, { ...options, training: true }),
      );
      y.backward(tensor(dyValues, { shape, device }));
      const [g, b, m, v] = vectors as [Float32Array, Float32Array, Float32Array, Float32Array];
      const expected = batchNormTraining(
        shape,
        { x: xValues, dy: dyValues, gamma: g, beta: b, runningMean: m, runningVar: v },
        options,
      );
      const actual = {
        y,
        dx: x.grad!,
        dgamma: gamma!.grad!,
        dbeta: beta!.grad!,
        runningMean: mean!,
        runningVar: variance!,
      };
      for (const name of Object.keys(actual) as (keyof typeof actual)[]) {
        expectClose(actual[name].dataSync(), expected[name], {
          what: name,
          shape: actual[name].shape,
          rtol: 3e-4,
          atol: 1e-4,
        });
      }
      for (const input of [x, gamma!, beta!]) input.grad?.dispose();
    });
  });
});

describe.each(testDevices)('batchNorm on %s', (device) => {
  const vector = (channels: number, value: number) => tensor(new Float32Array(channels).fill(value), { device });

  test.each([3, 8])('with a ReLU lets NaN through, %i channels', (channels) => {
    tidy(() => {
      const values = new Float32Array(2 * channels * 4).map((_, i) => i % 5);
      values[0] = Number.NaN;
      const x = tensor(values, { shape: [2, channels, 2, 2], device });
      const [one, zero] = [vector(channels, 1), vector(channels, 0)];
      for (const training of [true, false]) {
        const y = ops.batchNorm(x, one, zero, vector(channels, 0), vector(channels, 1), { training, relu: true });
        expect(y.dataSync()[0]).toBeNaN();
      }
    });
  });

  // One value a channel: variance 0, which is its unbiased variance too.
  test.each([
    [1, 4],
    [1, 8, 1, 1],
    [1, 3, 1],
  ])('takes a single value a channel: [%i, %i, ...]', (...shape) => {
    tidy(() => {
      const channels = shape[1] as number;
      const x = tensor(new Float32Array(channels).fill(7), { shape, device });
      const [mean, variance] = [vector(channels, 1), vector(channels, 3)];
      const y = ops.batchNorm(x, vector(channels, 1), vector(channels, 2), mean, variance, { training: true });
      expectClose(y.dataSync(), new Float32Array(channels).fill(2));
      expectClose(mean.dataSync(), new Float32Array(channels).fill(0.9 * 1 + 0.1 * 7));
      expectClose(variance.dataSync(), new Float32Array(channels).fill(0.9 * 3));
    });
  });

  test('the backward pass refuses what no forward pass gave', () => {
    tidy(() => {
      const x = tensor(new Float32Array(32).fill(1), { shape: [2, 4, 2, 2], device });
      const c = vector(4, 1);
      const options = { epsilon: 1e-5, momentum: 0.9, training: true };
      const [y, mean, variance] = run('batchNorm', { ...options, relu: true }, [x, c, c, vector(4, 0), c]) as Tensor[];
      const mask = tensor(new Uint8Array(32), { shape: [2, 4, 2, 2], device });
      const inputs = [x, y, c, c, mean, variance, mask] as Tensor[];
      expect(() => run('batchNormBackward', { ...options, relu: true }, inputs)).toThrow(/batchNorm.*mask/);
      expect(() => run('batchNormAddReluBackward', options, inputs)).toThrow(/batchNorm.*mask/);
    });
  });
});
