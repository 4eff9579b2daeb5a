// Ops on each element type, against the same arithmetic in JavaScript.
import { describe, expect, test } from 'vitest';
import { type DType, ops, tensor, tidy } from '../../lib/index.js';
import { supports, testDevices } from '../helpers/devices.js';
import { expectClose } from '../helpers/tolerances.js';
import { integerValues, uniformValues } from '../helpers/values.js';

// More than one pack of any type, and a tail.
const edges = [
  -3e9,
  -2147483648,
  -1.5,
  -1,
  -0.4,
  0,
  0.6,
  1,
  2.5,
  200.7,
  254.9,
  255,
  256,
  3e9,
  Infinity,
  -Infinity,
  NaN,
];

describe.each(testDevices)('types on %s', (device) => {
  const floats = (['float32', 'bfloat16', 'float16'] as DType[]).filter((type) => supports(device, type));
  const types: DType[] = [...floats, 'int32', 'uint8'];

  test.each(floats)('%s is cut to integers, clamped, NaN to 0', (dtype) => {
    tidy(() => {
      const x = tensor(edges, { device }).astype(dtype);
      const values = [...x.dataSync()];
      const cut = (low: number, high: number) => (value: number) =>
        Number.isNaN(value) ? 0 : Math.trunc(Math.min(high, Math.max(low, value))) + 0;
      expect([...x.astype('uint8').dataSync()]).toEqual(values.map(cut(0, 255)));
      expect([...x.astype('int32').dataSync()]).toEqual(values.map(cut(-(2 ** 31), 2 ** 31 - 1)));
    });
  });

  test('int32 is clamped to uint8', () => {
    tidy(() => {
      const x = tensor(Int32Array.of(-(2 ** 31), -1, 0, 7, 255, 256, 2 ** 31 - 1), { device });
      expect([...x.astype('uint8').dataSync()]).toEqual([0, 0, 0, 7, 255, 255, 255]);
    });
  });

  const pairs = types.flatMap((from) => types.map((to) => [from, to] as const));
  test.each(pairs)('small integers go from %s to %s and stay what they are', (from, to) => {
    tidy(() => {
      const values = integerValues(37, 3, 100);
      expect([...tensor(values, { device }).astype(from).astype(to).dataSync()]).toEqual([...values]);
    });
  });

  test.each(types)('sum, mean, argmax and equal of %s', (dtype) => {
    tidy(() => {
      const values = integerValues(3 * 40, 5, 9);
      const x = tensor(values, { shape: [3, 40], device }).astype(dtype);
      const row = (i: number) => [...values.subarray(i * 40, (i + 1) * 40)];
      const sums = [0, 1, 2].map((i) => row(i).reduce((a, b) => a + b));
      const [sum, mean] = [ops.sum(x, 1), ops.mean(x, 1)];
      expect([sum.dtype, mean.dtype]).toEqual(floats.includes(dtype) ? [dtype, dtype] : ['int32', 'float32']);
      expectClose(sum.dataSync(), sums, { rtol: 1e-2 });
      expectClose(
        mean.dataSync(),
        sums.map((each) => each / 40),
        { rtol: 1e-2 },
      );
      expectClose(
        ops.sum(x, 0).dataSync(),
        row(0).map((value, k) => value + row(1)[k]! + row(2)[k]!),
      );
      expect([...ops.argmax(x, 1).dataSync()]).toEqual([0, 1, 2].map((i) => row(i).indexOf(Math.max(...row(i)))));
      const seven = tensor([7], { device }).astype(dtype);
      expect([...ops.equal(x, seven).dataSync()]).toEqual([...values].map((value) => Number(value === 7)));
      const repeated = ops.broadcastTo(tensor(values.subarray(0, 5), { device }).astype(dtype), [2, 5]);
      expect([...repeated.dataSync()]).toEqual([...values.subarray(0, 5), ...values.subarray(0, 5)]);
    });
  });

  test('int32 wraps in +, - and *, also where it broadcasts', () => {
    tidy(() => {
      const a = Int32Array.of(2 ** 31 - 1, -(2 ** 31), 65536, -7, 123456789);
      const b = Int32Array.of(1, -1, 65537, 3, 987654321);
      const [x, y] = [tensor(a, { device }), tensor(b, { device })];
      const functions = [
        [ops.add, (p: number, q: number) => (p + q) | 0],
        [ops.sub, (p: number, q: number) => (p - q) | 0],
        [ops.mul, Math.imul],
      ] as const;
      for (const [op, expected] of functions) {
        expect([...op(x, y).dataSync()]).toEqual([...a].map((value, i) => expected(value, b[i]!)));
        const table = [...a].flatMap((value) => [...b].map((other) => expected(value, other)));
        expect([...op(ops.reshape(x, [5, 1]), y).dataSync()]).toEqual(table);
      }
    });
  });

  // x [5, 12], w [3, 12]; 16-bit products are summed in float32.
  test.each(floats)('dense of %s, its bias of that type or float32', (dtype) => {
    tidy(() => {
      const [xValues, wValues, b] = [uniformValues(60, 1), uniformValues(36, 2), uniformValues(3, 3)];
      const x = tensor(xValues, { shape: [5, 12], device }).astype(dtype);
      const w = tensor(wValues, { shape: [3, 12], device }).astype(dtype);
      const dot = (i: number, k: number) => {
        return xValues.subarray(i * 12, i * 12 + 12).reduce((sum, value, j) => sum + value * wValues[k * 12 + j]!, 0);
      };
      const products = [...Array(15).keys()].map((i) => dot(Math.trunc(i / 3), i % 3));
      const tolerance = dtype === 'float32' ? { rtol: 1e-5 } : { rtol: 2e-2, atol: 2e-2 };
      expectClose(ops.dense(x, w).dataSync(), products, tolerance);
      for (const type of new Set<DType>([dtype, 'float32'])) {
        const y = ops.dense(x, w, tensor(b, { device }).astype(type));
        expect(y.dtype).toBe(dtype);
        expectClose(
          y.dataSync(),
          products.map((value, i) => value + b[i % 3]!),
          tolerance,
        );
      }
    });
  });
});
