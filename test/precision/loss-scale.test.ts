// Loss scaling in float16: the scale's way through backward and step, overflows, files. The net needs no 16-bit op, so
// that this runs on every device.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LossScaler, lossScaler } from '../../lib/autograd/loss-scale.js';
import {
  autocast,
  autograd,
  init,
  NumericError,
  nn,
  ops,
  type Tensor,
  Trainer,
  tensor,
  tidy,
} from '../../lib/index.js';
import { allFinite } from '../../lib/ops/sgd.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const firstScale = 2 ** 10;
const folder = temporaryFolder();

describe('the scale', () => {
  test('is halved by an overflow and doubled after 2000 steps without one', () => {
    const scaler = new LossScaler();
    expect(scaler.scale).toBe(firstScale);
    for (let step = 0; step < 1999; step += 1) scaler.update(true, scaler.scale);
    expect(scaler.scale).toBe(firstScale);
    scaler.update(true, scaler.scale);
    expect([scaler.scale, scaler.goodSteps]).toEqual([2 * firstScale, 0]);
    scaler.update(true, scaler.scale);
    scaler.update(false, scaler.scale);
    expect([scaler.scale, scaler.goodSteps]).toEqual([firstScale, 0]);
  });

  test('does not go below 1: NumericError', () => {
    const scaler = new LossScaler();
    for (let scale = firstScale; scale > 1; scale /= 2) scaler.update(false, scale);
    expect(scaler.scale).toBe(1);
    expect(() => scaler.update(false, 1)).toThrow(NumericError);
  });
});

/** A net whose loss is sum(w * x): the gradient of w is x. */
class Weights extends nn.Block {
  w = new nn.Parameter('w', { shape: [2], init: new init.Constant(1) });
  override forward(x: Tensor): Tensor {
    return this.w.data().mul(x).sum();
  }
}

function made() {
  const net = new Weights();
  net.initialize();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.5, momentum: 0.5 });
  const backward = (x: number[]) =>
    tidy(() => autocast('float16', () => autograd.record(() => net.forward(tensor(x)))).backward());
  const weights = () => [...net.w.data().dataSync()];
  return { net, trainer, backward, weights };
}

onEachDevice(() => {
  test('backward multiplies gradients by it, step divides by it', () => {
    const { net, trainer, backward, weights } = made();
    backward([2, 4]);
    expect([[...net.w.grad().dataSync()], net.w.grad().lossScale]).toEqual([
      [2 * firstScale, 4 * firstScale],
      firstScale,
    ]);
    trainer.step(2);
    expect(weights()).toEqual([0.5, 0]);
    expect([trainer.numUpdate, trainer.skippedSteps]).toEqual([1, 0]);
  });

  test('a head gradient is multiplied too', () => {
    const { net } = made();
    const y = autocast('float16', () => autograd.record(() => net.forward(tensor([1, 1]))));
    y.backward(tensor(3));
    expect([...net.w.grad().dataSync()]).toEqual([3 * firstScale, 3 * firstScale]);
  });

  test('outside float16 gradients are as they are', () => {
    const { net } = made();
    for (const precision of ['float32', 'bfloat16'] as const) {
      tidy(() => autocast(precision, () => autograd.record(() => net.forward(tensor([1, 5])))).backward());
      expect([[...net.w.grad().dataSync()], net.w.grad().lossScale]).toEqual([[1, 5], 1]);
    }
  });

  test.each([Infinity, Number.NaN])('a gradient of %s: the step is skipped and counted, the scale halved', (value) => {
    const { trainer, backward, weights } = made();
    backward([2, 2]);
    trainer.step(1);
    const before = weights();
    backward([1, value]);
    trainer.step(1);
    expect([weights(), trainer.skippedSteps, trainer.numUpdate]).toEqual([before, 1, 1]);
    expect(lossScaler().scale).toBe(firstScale / 2);
    backward([0, 0]);
    trainer.step(1);
    expect(weights()).toEqual(before.map((w) => w - 0.5)); // momentum 0.5 of the first step's 0.5 * 2: untouched by the skipped one
  });

  test('gradients of different scales are each divided by their own', () => {
    const { net, trainer, weights } = made();
    const other = new Weights();
    other.initialize();
    const both = new Trainer(new nn.Sequential().add(net as nn.Block, other).collectParams(), 'sgd', {
      learningRate: 1,
    });
    tidy(() => autocast('float16', () => autograd.record(() => net.forward(tensor([1, 2])))).backward());
    tidy(() => autograd.record(() => other.forward(tensor([3, 4]))).backward());
    both.step(1);
    expect([weights(), [...other.w.data().dataSync()]]).toEqual([
      [0, -1],
      [-2, -3],
    ]);
    expect(trainer.numUpdate).toBe(0);
  });

  test('trainer states keep it', async () => {
    const file = join(folder, 'states.safetensors');
    const { trainer, backward } = made();
    backward([1, Infinity]);
    trainer.step(1);
    await trainer.saveStates(file);
    const again = made();
    expect(lossScaler().scale).toBe(firstScale);
    await again.trainer.loadStates(file);
    expect(lossScaler().scale).toBe(firstScale / 2);
  });

  test('allFinite looks at every element of every tensor', () => {
    tidy(() => {
      const fine = [tensor([1, -3e38, 0]), tensor(Array(70_000).fill(1)), tensor([[2]])];
      expect(ops.sum(fine[1] as Tensor).item()).toBe(70_000);
      const check = (tensors: Tensor[]) => allFinite(tensors).item();
      expect(check(fine)).toBe(1);
      for (const value of [Infinity, -Infinity, Number.NaN]) {
        expect(check([...fine, tensor([[0, value]])])).toBe(0);
        expect(check([tensor([...Array(69_999).fill(1), value]), ...fine])).toBe(0);
      }
      expect(check(Array.from({ length: 150 }, (_, i) => tensor(i === 149 ? Infinity : i)))).toBe(0);
      expect(check([tensor([1, 2], { dtype: 'bfloat16' }), tensor([Infinity])])).toBe(0);
      expect(check([tensor([Infinity], { dtype: 'float16' }), tensor([1])])).toBe(0);
    });
  });
});
