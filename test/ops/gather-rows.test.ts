// gatherRows against plain indexing, for every type; indices that are no rows.
import { describe, expect, test } from 'vitest';
import { autograd, type DType, memory, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError, rejectionOf } from '../helpers/errors.js';
import { integerValues, sizeOf } from '../helpers/values.js';

const indicesOf = (values: number[], like: Tensor) => tensor(Int32Array.from(values), { device: like.device });

describe.each(testDevices)('gatherRows on %s', (device) => {
  const numbers = (shape: number[], dtype: DType) =>
    tensor(integerValues(sizeOf(shape), 4, 200), { shape, dtype: 'int32', device }).astype(dtype);

  const types: DType[] = ['float32', 'bfloat16', 'float16', 'int32', 'uint8'];
  // Rows of 1, 3, 12, 16 and 784 elements: those that divide into words and those that do not.
  const shapes = [[9], [9, 3], [9, 3, 4], [9, 1, 4, 4], [9, 1, 28, 28]];
  test.each(types.flatMap((dtype) => shapes.map((shape) => ({ dtype, shape }))))(
    '$dtype $shape',
    ({ dtype, shape }) => {
      tidy(() => {
        const x = numbers(shape, dtype);
        const rows = [8, 0, 3, 3, 1, 0];
        const y = ops.gatherRows(x, indicesOf(rows, x));
        const size = sizeOf(shape.slice(1));
        const values = x.dataSync();
        expect([y.shape, y.dtype]).toEqual([[6, ...shape.slice(1)], dtype]);
        expect([...y.dataSync()]).toEqual(rows.flatMap((row) => [...values.subarray(row * size, (row + 1) * size)]));
      });
    },
  );

  test('rows of images that another op left in its own layout', () => {
    tidy(() => {
      const x = tensor(integerValues(3 * 4 * 5 * 5, 1, 9), { shape: [3, 4, 5, 5], device }).astype('float32');
      const w = tensor(integerValues(8 * 4, 2, 3), { shape: [8, 4, 1, 1], device }).astype('float32');
      const y = ops.conv2d(x, w); // [3, 8, 5, 5]
      const values = y.dataSync();
      expect([...ops.gatherRows(y, indicesOf([2], y)).dataSync()]).toEqual([...values.subarray(2 * 200)]);
    });
  });

  test('no rows at all, and no gradient', () => {
    tidy(() => {
      const x = numbers([4, 2], 'float32');
      x.requiresGrad = true;
      expect(ops.gatherRows(x, indicesOf([], x)).shape).toEqual([0, 2]);
      expect(autograd.record(() => ops.gatherRows(x, indicesOf([1], x))).node).toBeNull();
    });
  });

  test.each([4, -1, 2 ** 31 - 1, -(2 ** 31)])('row %s of 4 is an error of what is read', async (row) => {
    await collectGarbage();
    const before = memory().tensors;
    const says = ['gatherRows', '0 to 3', `${row} at position 1`];
    const y = tidy(() => {
      const x = numbers([4, 2], 'float32');
      return ops.gatherRows(x, indicesOf([0, row, 1], x));
    });
    expectResiduaError(await rejectionOf(y.data()), 'DATA_ERROR', says);
    const sum = ops.sum(y);
    expectResiduaError(await rejectionOf(sum.data()), 'DATA_ERROR', says);
    y.dispose();
    sum.dispose();
    expect(tidy(() => ops.add(tensor([1], { device }), 1).toArray())).toEqual([2]);
    expect(memory().tensors).toBe(before);
  });

  test('refuses other types and shapes', () => {
    tidy(() => {
      const x = numbers([4, 2], 'float32');
      const refuse = (a: Tensor, b: Tensor, code: 'SHAPE_ERROR' | 'DTYPE_ERROR' | 'CONFIG_ERROR', says: string[]) =>
        expectResiduaError(
          errorOf(() => ops.gatherRows(a, b)),
          code,
          ['gatherRows', ...says],
        );
      refuse(x, tensor([1, 2], { device }), 'DTYPE_ERROR', ['indices', 'int32', 'float32']);
      refuse(x, tensor([[1]], { dtype: 'int32', device }), 'SHAPE_ERROR', ['indices', '[1, 1]']);
      refuse(tensor(1, { device }), indicesOf([0], x), 'SHAPE_ERROR', ['x', '[]']);
      refuse(tensor(new Float32Array(0), { shape: [0, 2], device }), indicesOf([0], x), 'SHAPE_ERROR', ['x']);
      refuse(x, [0] as never, 'CONFIG_ERROR', ['indices', 'array']);
    });
  });
});
