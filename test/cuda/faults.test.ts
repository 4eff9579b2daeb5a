// Wrong data that only the GPU sees (labels, indices): the same errors as on the CPU, whoever waits for whom.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import { DataError, type Device, memory, ops, type Tensor, tensor } from '../../lib/index.js';
import type { NativeTensor } from '../../lib/native.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError, rejectionOf } from '../helpers/errors.js';
import { uniformValues } from '../helpers/values.js';

const classes = 4;
const sgd = { rescale: 1, momentum: 0, clip: 0 };

describe.each(testDevices)('wrong data on %s', (device: Device) => {
  const backend = backendOf(device);
  const before = memory().tensors;
  const live: (Tensor | NativeTensor)[] = [];
  const keep = <T extends Tensor | NativeTensor>(made: T): T => {
    live.push(made);
    return made;
  };

  beforeEach(drain);
  afterEach(() => {
    drain();
    for (const made of live.splice(0)) made.dispose();
    expect(memory().tensors, 'live tensors').toBe(before);
  });

  /** Waits for the work and takes what errors it still has to tell. */
  function drain(): void {
    for (let told = true; told; ) {
      try {
        backend.synchronize();
        told = false;
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  }

  /** The result of `op`, where need be at the second try: instead of running, an op tells what nobody has been told yet. */
  function past<T>(op: () => T): T {
    for (;;) {
      try {
        return op();
      } catch (error) {
        if (!(error instanceof DataError) || error.details.deferred !== 'true') throw error;
      }
    }
  }

  const lossesOf = (...labels: number[]): Tensor => {
    const logits = keep(tensor(uniformValues(labels.length * classes, 1), { shape: [labels.length, classes], device }));
    const ofDevice = keep(tensor(Int32Array.from(labels), { device }));
    return keep(past(() => ops.softmaxCrossEntropy(logits, ofDevice)));
  };
  const weights = (): Tensor => keep(tensor([1, 2], { device }));
  const update = (w: Tensor[], gradients: Tensor[]): void =>
    past(() => ops.sgdUpdate(w, gradients, null, { ...sgd, lrs: w.map(() => 1), wds: w.map(() => 0) }));

  test('nothing is updated, although nobody has waited', () => {
    const w = weights();
    update([w], [lossesOf(0, 7)]);
    expect([...w.dataSync()]).toEqual([1, 2]);
  });

  test('the weights of one update depend on more launches than a kernel can ask', () => {
    const [good, bad] = [0, 1].map((isBad) => {
      const w = Array.from({ length: 9 }, weights);
      update(
        w,
        w.map((_, i) => lossesOf(0, isBad && i === 8 ? -2 : 1)),
      );
      return w.map((each) => [...each.dataSync()]);
    });
    for (const values of good ?? []) expect(values).not.toEqual([1, 2]);
    for (const values of bad ?? []) expect(values).toEqual([1, 2]);
  });

  test('gradients that were wrong once do not hinder later updates', () => {
    const w = weights();
    update([w], [lossesOf(0, 7)]);
    update([w], [lossesOf(0, 1)]);
    expect([...w.dataSync()]).not.toEqual([1, 2]);
  });

  test('hundreds of launches that nobody waits for', () => {
    const losses = Array.from({ length: 400 }, (_, i) => lossesOf(i % classes, i === 333 ? 5 : 0));
    for (const [i, each] of losses.entries()) {
      if (i === 333)
        expectResiduaError(
          errorOf(() => each.dataSync()),
          'DATA_ERROR',
          ['label', '5'],
        );
      else expect(each.dataSync().every(Number.isFinite), `losses ${i}`).toBe(true);
    }
  });

  test('a launch on values that are wrong already has no error of its own', async () => {
    // Rows by a wrong index, then labels from those rows: what they are is nobody's business.
    const labels = keep(backend.fromHost(Int32Array.of(0, 1, 2), [3], 'int32'));
    const indices = keep(backend.fromHost(Int32Array.of(0, 9), [2], 'int32'));
    const gathered = backend.run('gatherRows', {}, [labels, indices]).map(keep)[0] as NativeTensor;
    const logits = keep(backend.fromHost(uniformValues(2 * classes, 1), [2, classes], 'float32'));
    const losses = past(() => backend.run('softmaxCrossEntropy', { labelSmoothing: 0 }, [logits, gathered])).map(
      keep,
    )[0] as NativeTensor;
    expectResiduaError(await rejectionOf(backend.readAsync(losses)), 'DATA_ERROR', ['gatherRows', '9', '0 to 2']);
    expect(() => backend.synchronize(), 'it was told').not.toThrow();
  });

  test('each failure is told with its own values', async () => {
    for (const label of [5, 6]) {
      expectResiduaError(await rejectionOf(lossesOf(label).data()), 'DATA_ERROR', [`got ${label} `]);
    }
  });

  test('synchronize() throws what nobody has been told of, once', () => {
    lossesOf(5);
    expectResiduaError(
      errorOf(() => backend.synchronize()),
      'DATA_ERROR',
      ['label', '5'],
    );
    backend.synchronize();
  });

  test('an upload, a copy and a conversion: values carry their errors along, new values have none', async () => {
    const losses = lossesOf(0, 5);
    expectResiduaError(await rejectionOf(keep(past(() => ops.reshape(losses, [2, 1]))).data()), 'DATA_ERROR', ['5']);
    expectResiduaError(await rejectionOf(keep(past(() => ops.cast(losses, 'int32'))).data()), 'DATA_ERROR', ['5']);
    const fine = keep(tensor([1, 2], { device }));
    expect([...(await fine.data())]).toEqual([1, 2]);
  });

  test('details name op, shapes and the value', async () => {
    const error = await rejectionOf(lossesOf(0, 1, 9).data());
    expect((error as DataError).details).toMatchObject({
      op: 'softmaxCrossEntropy',
      shapes: 'float32 [3, 4], int32 [3]',
      found: 9,
    });
  });
});
