// The SGD update of many parameters at once, and of weights that lie as the convolution wants them.
import { describe, test } from 'vitest';
import { autograd, type Device, ops, type Tensor, tensor, tidy, zeros } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

const tolerance = { rtol: 1e-5, atol: 1e-6 };

const uniform = (device: Device, shape: number[], seed: number): Tensor =>
  tensor(uniformValues(sizeOf(shape), seed), { shape, device });

describe.each(testDevices)('sgdUpdate on %s', (device) => {
  test.each([1, 64, 65, 600])('updates each of %s parameters with its own rate, gradient and momentum', (count) => {
    tidy(() => {
      const indices = [...Array(count).keys()];
      const size = (i: number) => (i === 0 ? 9001 : 1 + (i % 7));
      const weights = indices.map((i) => uniform(device, [size(i)], i));
      const gradients = indices.map((i) => uniform(device, [size(i)], 1000 + i));
      const momenta = indices.map((i) => uniform(device, [size(i)], 2000 + i));
      const [before, moving] = [weights, momenta].map((list) => list.map((each) => each.dataSync()));
      const [lrs, wds] = [indices.map((i) => (i + 1) / count), indices.map((i) => (i % 3) / 10)];
      ops.sgdUpdate(weights, gradients, momenta, { rescale: 0.5, momentum: 0.9, clip: 0.2, lrs, wds });
      for (const i of indices) {
        const g = gradients[i]!.dataSync().map(
          (value, k) => Math.min(0.2, Math.max(-0.2, 0.5 * value)) + wds[i]! * before![i]![k]!,
        );
        const m = moving![i]!.map((value, k) => 0.9 * value + g[k]!);
        const w = before![i]!.map((value, k) => value - lrs[i]! * m[k]!);
        expectClose(momenta[i]!.dataSync(), m, { what: `momentum ${i}`, ...tolerance });
        expectClose(weights[i]!.dataSync(), w, { what: `weight ${i}`, ...tolerance });
      }
    });
  });

  // Weights and momenta are plain at first; a step may give each another layout.
  test.each([
    [0, false],
    [0.9, false],
    [0.9, true],
  ])("gives the same whatever the layouts, with momentum %s and Nesterov's %s", (momentum, nesterov) => {
    tidy(() => {
      const shape = [16, 8, 3, 3];
      const [w, reference] = [uniform(device, shape, 1), uniform(device, shape, 1)];
      const [m, referenceM] = [zeros(shape, { device }), zeros(shape, { device })];
      const hyper = { rescale: 1, momentum, clip: 0, lrs: [0.1], wds: [0.01] };
      w.requiresGrad = true;
      for (let step = 0; step < 3; step++) {
        const x = uniform(device, [2, 8, 5, 5], 10 + step);
        autograd.record(() => ops.sum(ops.conv2d(x, w, null, { padding: 1 }))).backward();
        const gradient = w.grad as Tensor;
        const plainGradient = tensor(gradient.dataSync(), { shape, device });
        ops.sgdUpdate([w], [gradient], momentum === 0 ? null : [m], hyper, { nesterov });
        ops.sgdUpdate([reference], [plainGradient], momentum === 0 ? null : [referenceM], hyper, { nesterov });
        expectClose(w.dataSync(), reference.dataSync(), { what: `weight after step ${step + 1}`, ...tolerance });
        expectClose(m.dataSync(), referenceM.dataSync(), { what: `momentum after step ${step + 1}`, ...tolerance });
      }
      w.grad?.dispose();
    });
  });

  // The other way round: the gradient and the momentum are as the convolution wants them, the weight is plain.
  test('updates a plain weight with a momentum and a gradient that are not', () => {
    tidy(() => {
      const shape = [16, 8, 3, 3];
      const [used, m] = [uniform(device, shape, 1), uniform(device, shape, 2)];
      used.requiresGrad = true;
      const x = uniform(device, [2, 8, 5, 5], 3);
      autograd.record(() => ops.sum(ops.conv2d(x, used, null, { padding: 1 }))).backward();
      const hyper = { rescale: 1, momentum: 0.9, clip: 0, lrs: [0.1], wds: [0] };
      ops.sgdUpdate([used], [used.grad as Tensor], [m], hyper); // takes the momentum into the weight's layout
      const [plainWeight, before, g] = [uniform(device, shape, 5), m.dataSync(), (used.grad as Tensor).dataSync()];
      const values = plainWeight.dataSync();
      ops.sgdUpdate([plainWeight], [used.grad as Tensor], [m], hyper);
      const moved = before.map((value, i) => 0.9 * value + g[i]!);
      expectClose(m.dataSync(), moved, { what: 'momentum', ...tolerance });
      expectClose(
        plainWeight.dataSync(),
        values.map((value, i) => value - 0.1 * moved[i]!),
        { what: 'weight', ...tolerance },
      );
      used.grad?.dispose();
    });
  });
});
