// Errors that show only when an op runs: they come with the values, nothing is updated with them, the process goes on.
import { afterEach, describe, expect, test } from 'vitest';
import { autograd, memory, ones, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError, rejectionOf } from '../helpers/errors.js';
import { uniformValues } from '../helpers/values.js';

/** Waits for the work under way and takes the errors that it may still tell: the backward pass fails for itself. */
async function drain(tensorOfDevice: Tensor): Promise<void> {
  await tensorOfDevice.data();
  for (let told = true; told; ) {
    try {
      ops.relu(tensorOfDevice).dispose();
      told = false;
    } catch (error) {
      expectResiduaError(error, 'DATA_ERROR', ['label']);
    }
  }
}

describe.each(testDevices)('labels out of range on %s', (device) => {
  const lossesOf = (...labels: number[]): Tensor => {
    return tidy(() => {
      const logits = tensor(uniformValues(labels.length * 4, 1), { shape: [labels.length, 4], device });
      return ops.softmaxCrossEntropy(logits, tensor(Int32Array.from(labels), { device }));
    });
  };
  const expectWorks = () =>
    expect(
      tidy(() => ops.add(tensor([1, 2], { device }), 1).toArray()),
      'the next op',
    ).toEqual([2, 3]);
  const before = memory().tensors;
  afterEach(() => {
    expectWorks();
    expect(memory().tensors, 'live tensors').toBe(before);
  });

  test.each([4, -1, 2 ** 31 - 1, -(2 ** 31)])('label %s of 4 classes is an error of data()', async (label) => {
    const losses = lossesOf(1, label, 2);
    expectResiduaError(await rejectionOf(losses.data()), 'DATA_ERROR', ['label', String(label), '3']);
    losses.dispose();
  });

  test('and of dataSync(), item() and toArray()', () => {
    const losses = lossesOf(9);
    for (const read of [() => losses.dataSync(), () => losses.item(), () => losses.toArray()]) {
      expectResiduaError(errorOf(read), 'DATA_ERROR', ['label', '9']);
    }
    losses.dispose();
  });

  test('what is computed from the losses fails likewise, other tensors do not', async () => {
    const losses = lossesOf(0, 7);
    await rejectionOf(losses.data()); // told once: later ops do not throw it
    const other = ones([2], { device });
    const doubled = ops.mul(losses, 2);
    const mean = ops.mean(doubled);
    const fine = ops.mul(other, 2);
    expectResiduaError(await rejectionOf(mean.data()), 'DATA_ERROR', ['7']);
    expect([...(await fine.data())]).toEqual([2, 2]);
    for (const made of [losses, other, doubled, mean, fine]) made.dispose();
  });

  test('weights are not updated with failed gradients', async () => {
    const w = tensor([1, 2], { device });
    const losses = lossesOf(0, 7);
    await rejectionOf(losses.data());
    ops.sgdUpdate([w], [losses], null, { rescale: 1, momentum: 0, clip: 0, lrs: [1], wds: [0] });
    expect([...(await w.data())]).toEqual([1, 2]);
    for (const made of [w, losses]) made.dispose();
  });

  test.each([3, 8])('running statistics of %i channels are not moved by failed values', async (channels) => {
    const vector = (value: number) => tensor(new Float32Array(channels).fill(value), { device });
    for (const addRelu of [false, true]) {
      const x = tensor(uniformValues(4 * channels, 4), { shape: [4, channels], device });
      const [gamma, runningMean, runningVar] = [vector(1), vector(0.5), vector(2)];
      const beta = lossesOf(...Array(channels - 1).fill(1), 9);
      const normalise = () =>
        addRelu
          ? ops.batchNormAddRelu(x, x, gamma, beta, runningMean, runningVar, { training: true })
          : ops.batchNorm(x, gamma, beta, runningMean, runningVar, { training: true });
      let y: Tensor;
      try {
        y = normalise(); // on a GPU before anybody knows
      } catch (error) {
        expectResiduaError(error, 'DATA_ERROR', ['label', '9']);
        y = normalise(); // told once
      }
      expectResiduaError(await rejectionOf(y.data()), 'DATA_ERROR', ['label', '9']);
      expect([...(await runningMean.data())]).toEqual(Array(channels).fill(0.5));
      expect([...(await runningVar.data())]).toEqual(Array(channels).fill(2));
      await drain(gamma);
      for (const made of [x, y, gamma, beta, runningMean, runningVar]) made.dispose();
    }
  });

  test('a training step with such labels tells it at one of its ops and leaves the weights as they were', async () => {
    const values = uniformValues(12, 2);
    const w = tensor(values, { shape: [4, 3], device });
    w.requiresGrad = true;
    const step = () =>
      tidy(() => {
        const x = tensor(uniformValues(6, 3), { shape: [2, 3], device });
        const labels = tensor(Int32Array.of(1, 4), { device });
        autograd.record(() => ops.softmaxCrossEntropy(ops.dense(x, w), labels)).backward();
        ops.sgdUpdate([w], [w.grad as Tensor], null, { rescale: 1, momentum: 0, clip: 0, lrs: [1], wds: [0] });
      });
    const read = async () => {
      step();
      await w.data(); // the step is done
      ops.relu(w).dispose();
    };
    expectResiduaError(await rejectionOf(read()), 'DATA_ERROR', ['label', '4']);
    await drain(w);
    expect([...(await w.data())]).toEqual([...values]);
    w.grad?.dispose();
    w.dispose();
  });

  test('a backward pass through losses whose error was told does not tell it again', async () => {
    const [w, x] = [
      tensor(uniformValues(12, 2), { shape: [4, 3], device }),
      tensor(uniformValues(6, 3), { shape: [2, 3], device }),
    ];
    w.requiresGrad = true;
    const losses = autograd.record(() => {
      return ops.softmaxCrossEntropy(ops.dense(x, w), tensor(Int32Array.of(1, 4), { device }));
    });
    await rejectionOf(losses.data());
    losses.backward();
    await x.data(); // what is under way is done
    ops.relu(x).dispose();
    expectResiduaError(await rejectionOf((w.grad as Tensor).data()), 'DATA_ERROR', ['label', '4']);
    for (const made of [losses, w, x]) made.dispose();
  });

  test('an error that nobody read is thrown by the next op, once', async () => {
    const other = ones([2], { device });
    const losses = lossesOf(5);
    losses.dispose();
    await other.data(); // the work before it is done
    expectResiduaError(
      errorOf(() => ops.relu(other)),
      'DATA_ERROR',
      ['5'],
    );
    other.dispose();
  });
});
