// The loss: per-sample values, gradient, label smoothing.
import { describe, expect, it } from 'vitest';
import { autograd, ConfigError, loss, ShapeError, tensor } from '../../lib/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice(() => {
  const rows = [
    [1, 2, 3],
    [0, 0, 0],
  ];
  const labels = () => tensor(Int32Array.of(2, 0));
  const logSoftmax = (row: number[]) => row.map((v) => v - Math.log(row.reduce((sum, u) => sum + Math.exp(u), 0)));

  describe('SoftmaxCrossEntropyLoss', () => {
    it('is one value a sample', () => {
      const y = new loss.SoftmaxCrossEntropyLoss().forward(tensor(rows), labels());
      expect(y.shape).toEqual([2]);
      [-(logSoftmax([1, 2, 3])[2] as number), Math.log(3)].forEach((v, i) => {
        expect(y.dataSync()[i]).toBeCloseTo(v, 5);
      });
    });
    it('smooths labels', () => {
      const y = new loss.SoftmaxCrossEntropyLoss({ labelSmoothing: 0.3 }).forward(tensor(rows), labels());
      const expected = rows.map((row, i) => {
        const logs = logSoftmax(row);
        return -0.7 * (logs[[2, 0][i] as number] as number) - 0.1 * logs.reduce((a, b) => a + b);
      });
      expected.forEach((v, i) => {
        expect(y.dataSync()[i]).toBeCloseTo(v, 5);
      });
    });
    it('has the gradient softmax - target', () => {
      const logits = tensor(rows);
      logits.requiresGrad = true;
      autograd.record(() => new loss.SoftmaxCrossEntropyLoss().forward(logits, labels())).backward();
      const expected = rows.flatMap((row, i) => logSoftmax(row).map((v, j) => Math.exp(v) - (j === [2, 0][i] ? 1 : 0)));
      [...(logits.grad?.dataSync() ?? [])].forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i] as number, 5);
      });
    });
    it('refuses bad options and shapes', () => {
      expect(() => new loss.SoftmaxCrossEntropyLoss({ labelSmoothing: 2 })).toThrow(ConfigError);
      expect(() => new loss.SoftmaxCrossEntropyLoss().forward(tensor(rows), tensor(Int32Array.of(1)))).toThrow(
        ShapeError,
      );
    });
  });
});
