// Pooling against PyTorch, and against plain loops on random geometries.
import { describe, test } from 'vitest';
import { autograd, ops, tensor, tidy } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { testFixtures } from '../helpers/fixture-tests.js';
import { avgPool, maxPool, type PoolGeometry, poolOutputShape } from '../helpers/plain-pool2d.js';
import { Random } from '../helpers/random.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

testFixtures('maxPool2d', ({ x }, options: ops.MaxPool2dOptions) => ops.maxPool2d(x, options));
testFixtures('avgPool2d', ({ x }, options: ops.AvgPool2dOptions) => ops.avgPool2d(x, options));
testFixtures('globalAvgPool2d', ({ x }) => ops.globalAvgPool2d(x));

/** Padding is at most half the window, so that every window sees a pixel. */
function randomGeometry(random: Random): PoolGeometry {
  const pool = [random.integer(1, 4), random.integer(1, 4)] as const;
  return {
    x: [random.integer(1, 3), random.choose([1, 3, 16, 20]), random.integer(4, 12), random.integer(4, 12)],
    poolSize: pool,
    strides: [random.integer(1, 4), random.integer(1, 4)],
    padding: [random.integer(0, pool[0] >> 1), random.integer(0, pool[1] >> 1)],
  };
}

describe.each(testDevices)('pooling on %s equals plain loops', (device) => {
  const random = new Random(13);
  const geometries = Array.from({ length: 40 }, (_, seed) => ({
    seed,
    geometry: randomGeometry(random),
    countIncludePad: random.integer(0, 1) === 1,
  }));
  test.each(geometries)('random geometry $seed: $geometry', ({ seed, geometry, countIncludePad }) => {
    tidy(() => {
      const { x: shape, ...options } = geometry;
      const outputShape = poolOutputShape(geometry);
      const [xValues, dyValues] = [
        uniformValues(sizeOf(shape), 5000 + seed),
        uniformValues(sizeOf(outputShape), 6000 + seed),
      ];
      const dy = tensor(dyValues, { shape: outputShape, device });
      const variants = [
        { name: 'max', call: () => ops.maxPool2d(x, options), expected: maxPool(geometry, xValues, dyValues) },
        {
          name: 'average',
          call: () => ops.avgPool2d(x, { ...options, countIncludePad }),
          expected: avgPool(geometry, xValues, dyValues, countIncludePad),
        },
      ];
      const x = tensor(xValues, { shape, device });
      x.requiresGrad = true;
      for (const { name, call, expected } of variants) {
        const y = autograd.record(call);
        y.backward(dy);
        expectClose(y.dataSync(), expected.y, { what: `${name} y`, shape: outputShape });
        expectClose(x.grad!.dataSync(), expected.dx, { what: `${name} dx`, shape });
      }
      x.grad?.dispose();
    });
  });
});
