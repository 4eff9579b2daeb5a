// Each op on an image as a convolution leaves it, in the layout of the backend, against the same op on a plain copy.
import { describe, expect, test } from 'vitest';
import { type Device, type DType, ops, seed, type Tensor, tensor, tidy } from '../../lib/index.js';
import { supports, testDevices } from '../helpers/devices.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

const shape = [2, 16, 5, 7];

const uniform = (device: Device, dims: number[], start: number): Tensor =>
  tensor(uniformValues(sizeOf(dims), start), { shape: dims, device });

/** The output of a convolution. */
const convolved = (device: Device, start: number): Tensor =>
  ops.conv2d(uniform(device, [2, 3, 5, 7], start), uniform(device, [16, 3, 3, 3], start + 1), null, { padding: 1 });

/** The same values as they come from the host. */
const plain = (x: Tensor): Tensor => tensor(x.dataSync(), { shape: x.shape, device: x.device }).astype(x.dtype);

/** On `x` and `y`, of the same layout or each of its own. */
const programs: Record<string, (x: Tensor, y: Tensor) => Tensor> = {
  'x + y': (x, y) => ops.add(x, y),
  'y - x': (x, y) => ops.sub(y, x),
  'x / 3': (x) => ops.div(x, 3),
  '2 - x': (x) => ops.sub(2, x),
  'x = x': (x) => ops.equal(x, ops.relu(x)),
  'x * [c, 1, 1]': (x) => ops.mul(x, uniform(x.device, [16, 1, 1], 9).astype(x.dtype)),
  '[w] - x': (x) => ops.sub(uniform(x.device, [7], 9).astype(x.dtype), x),
  'x + [1, c, h, 1]': (x) => ops.add(x, uniform(x.device, [1, 16, 5, 1], 9).astype(x.dtype)),
  '[3, 1, 1, 1, 1] + x': (x) => ops.add(uniform(x.device, [3, 1, 1, 1, 1], 9).astype(x.dtype), x),
  'addRelu(x, y)': (x, y) => ops.addRelu(x, y),
  'sum of x': (x) => ops.sum(x),
  'sum over [n, h, w]': (x) => ops.sum(x, [0, 2, 3]),
  'mean over [c]': (x) => ops.mean(x, 1),
  'mean over [h, w]': (x) => ops.mean(x, [2, 3], { keepDims: true }),
  'sum over [n, w]': (x) => ops.sum(x, [0, 3]),
  'argmax over [c]': (x) => ops.argmax(x, 1),
  'argmax over [w]': (x) => ops.argmax(x, 3),
  'softmax over [c]': (x) => ops.softmax(x, 1),
  'logSoftmax over [w]': (x) => ops.logSoftmax(x),
  'reshape to [n, c * h * w]': (x) => ops.reshape(x, [2, 560]),
  broadcastTo: (x) => ops.broadcastTo(x, [2, ...shape]),
  copy: (x) => ops.copy(x),
  resizeBilinear: (x) => ops.resizeBilinear(x, { size: [8, 4] }),
  dropout: (x) => {
    seed(3);
    return ops.dropout(x, 0.4, true);
  },
  'assign x to a copy of y': (x, y) => {
    const to = ops.copy(y);
    ops.assign(to, x);
    return to;
  },
  'assign x to a copy of y in float32': (x, y) => {
    const to = ops.copy(y.astype('float32'));
    ops.assign(to, x);
    return to;
  },
};

describe.each(testDevices)('layouts on %s', (device) => {
  const types = (['float32', 'bfloat16', 'float16'] as DType[]).filter((type) => supports(device, type));

  describe.each(types)('%s', (dtype) => {
    const rtol = dtype === 'float32' ? 1e-5 : 1e-2;

    test.each(Object.entries(programs))('%s', (_, program) => {
      tidy(() => {
        const [x, y] = [convolved(device, 1).astype(dtype), convolved(device, 5).astype(dtype)];
        const [plainX, plainY] = [plain(x), plain(y)];
        const expected = program(plainX, plainY);
        for (const actual of [program(x, y), program(x, plainY), program(plainX, y)]) {
          expect(actual.shape).toEqual(expected.shape);
          expect(actual.dtype).toBe(expected.dtype);
          expectClose(actual.dataSync(), expected.dataSync(), { shape: expected.shape, rtol, atol: rtol / 10 });
        }
      });
    });
  });
});
