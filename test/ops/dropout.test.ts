// Dropout has no reference values: what holds for any of its draws is tested.
import { describe, expect, test } from 'vitest';
import { autograd, ones, ops, seed, tensor, tidy } from '../../lib/index.js';
import { randomState } from '../../lib/tensor/random.js';
import { testDevices } from '../helpers/devices.js';
import { uniformValues } from '../helpers/values.js';

describe.each(testDevices)('dropout on %s', (device) => {
  test.each([0.1, 0.5, 0.9])('keeps about 1 - %s of the values, multiplied by 1 / (1 - rate)', (rate) => {
    tidy(() => {
      seed(1);
      const y = ops.dropout(ones([100, 100], { device }), rate, true).dataSync();
      const kept = y.filter((value) => value !== 0);
      expect(
        kept.every((value) => value === Math.fround(1 / (1 - rate)) || Math.abs(value * (1 - rate) - 1) < 1e-6),
      ).toBe(true);
      expect(Math.abs(kept.length / y.length - (1 - rate))).toBeLessThan(0.025);
    });
  });

  test('gives the gradient to the kept values only, multiplied alike', () => {
    tidy(() => {
      const x = tensor(uniformValues(600, 1, 1, 2), { shape: [2, 20, 5, 3], device });
      x.requiresGrad = true;
      const y = autograd.record(() => ops.dropout(x, 0.3));
      const dy = uniformValues(600, 2, 1, 2);
      y.backward(tensor(dy, { shape: x.shape, device }));
      const [values, result, gradient] = [x.dataSync(), y.dataSync(), x.grad!.dataSync()];
      for (let i = 0; i < values.length; i++) {
        const factor = result[i] === 0 ? 0 : 1 / 0.7;
        expect(result[i]).toBeCloseTo(values[i]! * factor, 4);
        expect(gradient[i]).toBeCloseTo(dy[i]! * factor, 4);
      }
      x.grad?.dispose();
    });
  });

  test('draws the same again from the same seed, something else next time', () => {
    tidy(() => {
      const draw = () => [...ops.dropout(ones([1000], { device }), 0.5, true).dataSync()];
      seed(5);
      const [first, second] = [draw(), draw()];
      seed(5);
      expect(draw()).toEqual(first);
      expect(second).not.toEqual(first);
    });
  });

  test.each([
    [0.5, false],
    [0, true],
  ])('with rate %s and training %s changes nothing', (rate, training) => {
    tidy(() => {
      const values = uniformValues(30, 3);
      expect([...ops.dropout(tensor(values, { device }), rate, training).dataSync()]).toEqual([...values]);
    });
  });

  test('outside training takes no random numbers', () => {
    const before = randomState();
    tidy(() => void ops.dropout(ones([4], { device }), 0.5));
    expect(randomState()).toEqual(before);
  });

  test('with rate 1 leaves zeros, of the gradient too', () => {
    tidy(() => {
      const x = ones([9], { device });
      x.requiresGrad = true;
      const y = autograd.record(() => ops.dropout(x, 1));
      y.backward();
      for (const zeros of [y, x.grad!]) expect([...zeros.dataSync()]).toEqual(Array(9).fill(0));
    });
  });
});
