// evaluateAccuracy: the fraction that is right, the mode of the net, whose the batches are.
import { describe, expect, test } from 'vitest';
import { isRecording, isTraining, record } from '../../lib/autograd/tape.js';
import { ArrayDataset, DataLoader } from '../../lib/data/index.js';
import { tensor } from '../../lib/tensor/create.js';
import { memory } from '../../lib/tensor/memory.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { evaluateAccuracy } from '../../lib/train/index.js';
import { rejection } from '../data/idx-files.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice((device) => {
  /** A net whose scores are the pixels. */
  const pixels = { forward: (X: Tensor) => X.reshape([-1, 3]) };

  /** Seven images; the brightest pixel is at the label in five of them. */
  const dataset = new ArrayDataset({
    images: [9, 1, 2, 1, 9, 2, 1, 2, 9, 9, 2, 1, 1, 9, 2, 1, 2, 9, 9, 1, 2],
    labels: [0, 1, 2, 0, 1, 0, 2],
    shape: [1, 1, 3],
  });

  describe('evaluateAccuracy', () => {
    test.each([1, 2, 3, 7, 100])('counts right answers in batches of %i', async (batchSize) => {
      expect(await evaluateAccuracy(new DataLoader(dataset, { batchSize, device }), pixels, device)).toBeCloseTo(
        5 / 7,
        12,
      );
    });

    test('runs the net in prediction mode, without recording', async () => {
      const modes: boolean[] = [];
      const net = {
        forward: (X: Tensor) => {
          modes.push(isTraining(), isRecording());
          return pixels.forward(X);
        },
      };
      await record(() => ({
        promise: evaluateAccuracy(new DataLoader(dataset, { batchSize: 7, device }), net, device),
      })).promise;
      expect(modes).toEqual([false, false]);
    });

    test('leaves no tensors behind', async () => {
      const loader = new DataLoader(dataset, { batchSize: 2, device });
      await evaluateAccuracy(loader, pixels, device);
      await collectGarbage();
      const before = memory();
      await evaluateAccuracy(loader, pixels, device);
      expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    });

    test('keeps the batches of an array, disposes those of an async generator', async () => {
      const batches: [Tensor, Tensor][] = [
        [tensor([1, 0, 0, 0, 1, 0], { shape: [2, 3], device }), tensor([0, 1], { dtype: 'int32', device })],
        [tensor([1, 0, 0], { shape: [1, 3], device }), tensor([2], { dtype: 'int32', device })],
      ];
      async function* generate() {
        yield* batches;
      }
      expect(await evaluateAccuracy(batches, pixels, device)).toBeCloseTo(2 / 3, 12);
      expect(batches.flat().some((t) => t.disposed)).toBe(false);
      expect(await evaluateAccuracy(generate(), pixels, device)).toBeCloseTo(2 / 3, 12);
      expect(batches.flat().every((t) => t.disposed)).toBe(true);
    });

    test('refuses no batches and no device, and passes on what the net throws', async () => {
      expect(await rejection(evaluateAccuracy([], pixels, device))).toMatchObject({ code: 'DATA_ERROR' });
      expect(await rejection(evaluateAccuracy([], pixels, 'cpu' as never))).toMatchObject({ code: 'CONFIG_ERROR' });
      const broken = { forward: (X: Tensor) => X.reshape([5, 5]) };
      const loader = new DataLoader(dataset, { batchSize: 2, device });
      expect(await rejection(evaluateAccuracy(loader, broken, device))).toMatchObject({ code: 'SHAPE_ERROR' });
      expect(await evaluateAccuracy(loader, pixels, device)).toBeCloseTo(5 / 7, 12);
    });
  });
});
