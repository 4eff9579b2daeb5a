// addReluBackward, which only passes over programs make: against the two ops that it stands for, bit for bit.
import { describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import { seed, uniform } from '../../lib/index.js';
import { run1 } from '../../lib/ops/run.js';
import { supports, testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';

describe.each(testDevices)('addReluBackward on %s', (device) => {
  const make = (shape: number[], dtype: 'float32' | 'bfloat16' | 'float16' = 'float32') =>
    uniform(shape, { low: -1, high: 1, device }).astype(dtype);

  test.each((['float32', 'bfloat16', 'float16'] as const).filter((dtype) => supports(device, dtype)))(
    '%s: reluBackward(a + b, y) for sizes beside the vector length',
    async (dtype) => {
      seed(4);
      for (const shape of [[1], [7], [3, 5, 7], [2, 3, 9, 11], [70001]]) {
        const [a, b] = [make(shape, dtype), make(shape, dtype)];
        const y = run1('relu', {}, [make(shape, dtype)]);
        const fused = run1('addReluBackward', {}, [a, b, y]);
        const apart = run1('reluBackward', {}, [run1('add', {}, [a, b]), y]);
        expect(fused.dtype).toBe(dtype);
        expect(await fused.data()).toEqual(await apart.data());
      }
    },
  );

  test('plain loops: y > 0 ? a + b : 0, and NaN of y lets through', async () => {
    const from = (...values: number[]) => backendOf(device).fromHost(Float32Array.from(values), [4], 'float32');
    const backend = backendOf(device);
    const inputs = [from(1, 2, 3, 4), from(10, 20, 30, 40), from(0.5, 0, 2, Number.NaN)];
    const [dx] = backend.run('addReluBackward', {}, inputs);
    expect([...backend.read(dx as never)]).toEqual([11, 0, 33, 44]);
  });

  test('operands in different layouts', async () => {
    seed(6);
    const image = make([2, 5, 6, 7]);
    const weight = make([5, 5, 3, 3]);
    const attributes = { strides: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1, hasBias: false };
    const a = run1('conv2d', attributes, [image, weight]); // lies as the backend likes it
    const b = make([2, 5, 6, 7]); // plain
    const fused = run1('addReluBackward', {}, [b, a, image]);
    const apart = run1('reluBackward', {}, [run1('add', {}, [b, a]), image]);
    expect(await fused.data()).toEqual(await apart.data());
  });

  test('refuses operands that differ', () => {
    const call = (...shapes: number[][]) =>
      errorOf(() =>
        run1(
          'addReluBackward',
          {},
          shapes.map((shape) => make(shape)),
        ),
      );
    expectResiduaError(call([2, 3], [3], [2, 3]), 'SHAPE_ERROR', ['addReluBackward', 'b']);
    expectResiduaError(call([2, 3], [2, 3], [3, 2]), 'SHAPE_ERROR', ['addReluBackward', 'y']);
  });
});
