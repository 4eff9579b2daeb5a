// setPrecision and autocast: which ops compute in which type, where gradients go, what is refused.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  autocast,
  autograd,
  ConfigError,
  DTypeError,
  memory,
  ones,
  ops,
  type Precision,
  seed,
  setPrecision,
  type Tensor,
  tensor,
  tidy,
  uniform,
  zeros,
} from '../../lib/index.js';
import { currentPrecision } from '../../lib/precision.js';
import { supports, testDevices } from '../helpers/devices.js';
import { onEachDevice } from '../helpers/on-each-device.js';

beforeEach(() => seed(3));
afterEach(() => setPrecision('float32'));

test('autocast sets the precision while its function runs', () => {
  expect(autocast('bfloat16', () => [currentPrecision(), autocast('float32', currentPrecision)])).toEqual([
    'bfloat16',
    'float32',
  ]);
  expect(currentPrecision()).toBe('float32');
  expect(() =>
    autocast('bfloat16', () => {
      throw new RangeError('mine');
    }),
  ).toThrow(RangeError);
  expect(currentPrecision()).toBe('float32');
  setPrecision('bfloat16');
  expect(currentPrecision()).toBe('bfloat16');
});

test('wrong names and async functions are ConfigErrors', () => {
  for (const name of ['bf16', 'int32', undefined]) {
    expect(() => setPrecision(name as Precision)).toThrow(ConfigError);
    expect(() => autocast(name as Precision, () => 1)).toThrow(/'float32' or 'bfloat16' or 'float16'/);
  }
  expect(() => autocast('bfloat16', async () => 1)).toThrow(ConfigError);
  expect(currentPrecision()).toBe('float32');
});

test('gradCheck refuses it', () => {
  setPrecision('bfloat16');
  expect(() => autograd.gradCheck((x) => ops.sum(x as Tensor), [ones([2])])).toThrow(
    /gradCheck expected precision float32, got bfloat16/,
  );
});

for (const half of ['bfloat16', 'float16'] as const)
  for (const device of testDevices.filter((each) => !supports(each, half)))
    test(`${half} on ${device}, which does not have it, is a DTypeError that says what it has`, () => {
      const call = () => tidy(() => autocast(half, () => ops.relu(ones([2], { device }))));
      expect(call).toThrow(DTypeError);
      expect(call).toThrow(`Precision ${half} expected a device that has it, got ${device}, which has float32`);
    });

onEachDevice((device) => {
  const halves = (['bfloat16', 'float16'] as const).filter((dtype) => supports(device, dtype));
  if (halves.length === 0) test.skip('no 16-bit type', () => {});

  describe.each(halves)('%s', (half) => {
    const image = () => uniform([2, 8, 6, 6], { low: -1, high: 1 });

    test('is the type of activations; sums, means and exponentials are float32', () => {
      tidy(() => {
        const x = image();
        const perChannel = [ones([8]), zeros([8]), zeros([8]), ones([8])] as const;
        const results = autocast(half, () => ({
          conv2d: ops.conv2d(x, uniform([4, 8, 3, 3]), ones([4])),
          dense: ops.dense(ops.flatten(x), uniform([3, 288]), ones([3])),
          batchNorm: ops.batchNorm(x, ...perChannel),
          relu: ops.relu(x),
          addRelu: ops.addRelu(x, x),
          maxPool2d: ops.maxPool2d(x),
          avgPool2d: ops.avgPool2d(x),
          globalAvgPool2d: ops.globalAvgPool2d(x),
          addOfTwoTypes: ops.add(x.astype(half), x),
          addOfFloat32: ops.add(x, x),
          sum: ops.sum(x.astype(half)),
          mean: ops.mean(x.astype(half)),
          softmax: ops.softmax(x.astype(half)),
          logSoftmax: ops.logSoftmax(x.astype(half)),
          loss: ops.softmaxCrossEntropy(ops.dense(ops.flatten(x), uniform([3, 288])), tensor(Int32Array.of(0, 2))),
        }));
        const float32 = ['addOfFloat32', 'sum', 'mean', 'softmax', 'logSoftmax', 'loss'];
        for (const [name, result] of Object.entries(results))
          expect(result.dtype, name).toBe(float32.includes(name) ? 'float32' : half);
      });
    });

    test('gives float32 gradients, near those of float32', () => {
      tidy(() => {
        const x = image();
        const parameters = [uniform([4, 8, 3, 3], { low: -0.2, high: 0.2 }), ones([4]), uniform([3, 64])];
        for (const parameter of parameters) parameter.requiresGrad = true;
        const [w, b, v] = parameters as [Tensor, Tensor, Tensor];
        const labels = tensor(Int32Array.of(0, 2));
        const gradients = (precision: Precision) => {
          tidy(() =>
            autocast(precision, () =>
              autograd.record(() => {
                const y = ops.relu(ops.conv2d(x, w, b));
                return ops.softmaxCrossEntropy(ops.dense(ops.flatten(y), v), labels);
              }),
            ).backward(),
          );
          expect(parameters.map(({ grad }) => grad?.dtype)).toEqual(['float32', 'float32', 'float32']);
          return parameters.map(({ grad }) =>
            Float32Array.from((grad as Tensor).dataSync(), (g) => g / grad!.lossScale),
          );
        };
        const expected = gradients('float32');
        const norm = (values: Float32Array) => Math.hypot(...values);
        for (const [i, found] of gradients(half).entries()) {
          const wanted = expected[i] as Float32Array;
          expect(norm(found.map((g, k) => g - (wanted[k] as number))) / norm(wanted)).toBeLessThan(0.03);
        }
      });
    });

    test('a bias whose weight is frozen has a float32 gradient', () => {
      tidy(() => {
        const b = zeros([4]);
        b.requiresGrad = true;
        autocast(half, () => autograd.record(() => ops.conv2d(image(), uniform([4, 8, 3, 3]), b).sum())).backward();
        expect([b.grad?.dtype, b.grad?.toArray()]).toEqual(['float32', Array(4).fill(32 * (b.grad?.lossScale ?? 0))]);
      });
    });

    test('casts a weight once, until it is updated, and lets go of the copy with it', () => {
      const x = image();
      const w = uniform([4, 8, 3, 3]);
      const forward = () => tidy(() => autocast(half, () => void ops.conv2d(x, w)));
      const before = memory().tensors;
      forward();
      expect(memory().tensors).toBe(before + 1);
      const copy = w.keptAs(half);
      forward();
      expect([w.keptAs(half).native === copy.native, memory().tensors]).toEqual([true, before + 1]);
      ops.assign(
        w,
        tidy(() => zeros(w.shape)),
      );
      expect(memory().tensors).toBe(before + 2); // copy is still in use here; and the zeros
      copy.dispose();
      forward();
      w.dispose();
      x.dispose();
    });
  });
});
