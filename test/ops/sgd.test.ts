// The SGD update of two parameters over three steps, against torch.optim.SGD.
import { describe, test } from 'vitest';
import { ops, tidy, zeros } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { decode, type Encoded, type InputSpec, makeTensor, readJson } from '../helpers/fixtures.js';
import { expectClose } from '../helpers/tolerances.js';

interface SgdCase {
  name: string;
  options: {
    learningRate: number;
    momentum?: number;
    wd?: number;
    nesterov?: boolean;
    rescale?: number;
    clipGradient?: number;
  };
  weights: InputSpec[];
  /** By step, by parameter. */
  gradients: InputSpec[][];
  expected: Encoded[][];
}

describe.each(testDevices)('sgdUpdate on %s', (device) => {
  test.each(readJson<{ cases: SgdCase[] }>('sgdUpdate').cases)(
    '$name',
    ({ options, weights: specs, gradients, expected }) => {
      tidy(() => {
        const { learningRate, momentum = 0, wd = 0, nesterov = false, rescale = 1, clipGradient = 0 } = options;
        const weights = specs.map((spec) => makeTensor(spec, device));
        const momenta = momentum === 0 ? null : weights.map((weight) => zeros(weight.shape, { device }));
        const hyper = {
          rescale,
          momentum,
          clip: clipGradient,
          lrs: weights.map(() => learningRate),
          wds: weights.map(() => wd),
        };
        for (const [step, specsOfStep] of gradients.entries()) {
          ops.sgdUpdate(
            weights,
            specsOfStep.map((spec) => makeTensor(spec, device)),
            momenta,
            hyper,
            { nesterov },
          );
          for (const [i, weight] of weights.entries()) {
            expectClose(weight.dataSync(), decode(expected[step]![i]!), {
              what: `parameter ${i} after step ${step + 1}`,
              rtol: 1e-5,
              atol: 1e-6,
            });
          }
        }
      });
    },
  );

  test('uses the rate and the decay of each parameter', () => {
    tidy(() => {
      const spec: InputSpec = { kind: 'uniform', shape: [5], seed: 1, scale: 1, offset: 0 };
      const [a, b, gradient] = [
        makeTensor(spec, device),
        makeTensor(spec, device),
        makeTensor({ ...spec, seed: 2 }, device),
      ];
      const [before, g] = [a.dataSync(), gradient.dataSync()];
      ops.sgdUpdate([a, b], [gradient, gradient], null, {
        rescale: 1,
        momentum: 0,
        clip: 0,
        lrs: [0.1, 0.5],
        wds: [0, 0.2],
      });
      expectClose(
        a.dataSync(),
        before.map((w, i) => w - 0.1 * g[i]!),
        { what: 'first' },
      );
      expectClose(
        b.dataSync(),
        before.map((w, i) => w - 0.5 * (g[i]! + 0.2 * w)),
        { what: 'second' },
      );
    });
  });
});
