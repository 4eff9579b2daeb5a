// Pooling against PyTorch, and against plain loops on random geometries.
import { describe, expect, test } from 'vitest';
import { autograd, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { run } from '../../lib/ops/run.js';
import { testDevices } from '../helpers/devices.js';
import { testFixtures } from '../helpers/fixture-tests.js';
import { avgPool, maxPool, type PoolGeometry, poolOutputShape } from '../helpers/plain-pool2d.js';
import { Random } from '../helpers/random.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

testFixtures('maxPool2d', ({ x }, options: ops.MaxPool2dOptions) => ops.maxPool2d(x, options));
testFixtures('avgPool2d', ({ x }, options: ops.AvgPool2dOptions) => ops.avgPool2d(x, options));
testFixtures('globalAvgPool2d', ({ x }) => ops.globalAvgPool2d(x));

/** Windows of more positions than a byte counts, and windows as large as the image. */
const largeWindows: PoolGeometry[] = [
  { x: [1, 3, 14, 13], poolSize: [12, 12], strides: [1, 1], padding: [1, 0] },
  { x: [2, 8, 19, 18], poolSize: [17, 17], strides: [2, 1], padding: [8, 3] },
  { x: [2, 5, 6, 7], poolSize: [6, 7], strides: [6, 7], padding: [0, 0] },
];

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
  const geometries = [...Array.from({ length: 40 }, () => randomGeometry(random)), ...largeWindows].map(
    (geometry, seed) => ({ seed, geometry, countIncludePad: random.integer(0, 1) === 1 }),
  );
  test.each(geometries)('geometry $seed: $geometry', ({ seed, geometry, countIncludePad }) => {
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

describe.each(testDevices)('max pooling on %s', (device) => {
  test.each([3, 8])('padding is less than any number, NaN is never the maximum, %i channels', (channels) => {
    tidy(() => {
      const image = [-5, Number.NaN, -3, -4, Number.NaN, -6, -7, -8, -9];
      const x = tensor(Float32Array.from(Array(channels).fill(image).flat()), { shape: [1, channels, 3, 3], device });
      const y = ops.maxPool2d(x, { poolSize: 2, strides: 2, padding: 1 });
      expect([...y.dataSync().slice(0, 4)]).toEqual([-5, -3, -4, -6]);
    });
  });

  test('NaN is never the maximum of a large window either', () => {
    tidy(() => {
      const image = new Float32Array(3 * 144).fill(-2);
      for (let c = 0; c < 3; c++) image.set([Number.NaN, -1, Number.NaN], 144 * c + 99);
      const x = tensor(image, { shape: [1, 3, 12, 12], device });
      x.requiresGrad = true;
      const y = autograd.record(() => ops.maxPool2d(x, { poolSize: 12 }));
      y.backward();
      expect([...y.dataSync()]).toEqual([-1, -1, -1]);
      expect([...(x.grad as Tensor).dataSync()].flatMap((value, i) => (value ? [i] : []))).toEqual([100, 244, 388]);
      x.grad?.dispose();
    });
  });

  test('the backward pass refuses the positions of another pooling', () => {
    tidy(() => {
      const x = tensor(new Float32Array(2 * 16), { shape: [1, 2, 4, 4], device });
      const window = { poolSize: [2, 2], strides: [2, 2], padding: [0, 0] };
      const [y, argmax] = run('maxPool2d', window, [x]) as [Tensor, Tensor];
      const backward = (poolSize: number[], positions: Tensor) => () =>
        run('maxPool2dBackward', { ...window, poolSize, inputSize: [4, 4] }, [y, positions]);
      expect(backward([2, 2], argmax)).not.toThrow();
      expect(backward([1, 1], argmax)).toThrow(/maxPool2dBackward expected the argmax that its own maxPool2d gave/);
      const values = tensor(new Uint8Array(8), { shape: [1, 2, 2, 2], device });
      expect(backward([2, 2], values)).toThrow(/maxPool2dBackward expected the argmax that its own maxPool2d gave/);
    });
  });
});
