// batchNorm against PyTorch, and against plain loops on random shapes.
import { describe, test } from 'vitest';
import { autograd, ops, tensor, tidy } from '../../lib/index.js';
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
