// DataLoader: values, order, last batches, several iterations, leaving early.
import { describe, expect, test } from 'vitest';
import { ArrayDataset, DataLoader, type DataLoaderOptions } from '../../lib/data/index.js';
import { ConfigError } from '../../lib/errors.js';
import { memory } from '../../lib/tensor/memory.js';
import { seed } from '../../lib/tensor/random.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { rejection } from './idx-files.js';
import { epochLabels, numbered, range } from './numbered.js';

onEachDevice(() => {
  describe('values', () => {
    test('are pixels divided by 255 and labels', async () => {
      const dataset = new ArrayDataset({
        images: [0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6],
        labels: [7, 2],
        shape: [3, 1, 2],
      });
      for await (const [X, y] of new DataLoader(dataset, { batchSize: 2 })) {
        expect([X.shape, X.dtype, y.shape, y.dtype]).toEqual([[2, 3, 1, 2], 'float32', [2], 'int32']);
        const values = [...(await X.data())];
        for (const [i, pixel] of [...dataset.images].entries()) expect(values[i]).toBeCloseTo(pixel / 255, 6);
        expect([...(await y.data())]).toEqual([7, 2]);
      }
    });

    test('are resized bilinearly with half-pixel centres', async () => {
      const dataset = new ArrayDataset({ images: [0, 255, 255, 0], labels: [0], shape: [1, 2, 2] });
      // Twice the size: weights 1/4 and 3/4 inside, the edge's own value outside.
      const rows = [
        [0, 0.25, 0.75, 1],
        [0.25, 0.375, 0.625, 0.75],
        [0.75, 0.625, 0.375, 0.25],
        [1, 0.75, 0.25, 0],
      ];
      for await (const [X] of new DataLoader(dataset, { batchSize: 1, resize: 4 })) {
        expect(X.shape).toEqual([1, 1, 4, 4]);
        const values = [...(await X.data())];
        for (const [i, expected] of rows.flat().entries()) expect(values[i]).toBeCloseTo(expected, 6);
      }
      for await (const [X] of new DataLoader(dataset, { batchSize: 1, resize: [4, 2] }))
        expect(X.shape).toEqual([1, 1, 4, 2]);
    });
  });

  describe('last batch', () => {
    test.each([
      [
        'keep',
        [
          [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
            [8, 9],
          ],
          [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
            [8, 9],
          ],
        ],
      ],
      [
        'discard',
        [
          [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
          ],
          [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
          ],
        ],
      ],
      [
        'rollover',
        [
          [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
          ],
          [
            [8, 9, 0, 1],
            [2, 3, 4, 5],
            [6, 7, 8, 9],
          ],
        ],
      ],
    ] as const)('%s', async (lastBatch, epochs) => {
      const loader = new DataLoader(numbered(10), { batchSize: 4, lastBatch });
      for (const expected of epochs) {
        expect(loader.length).toBe(expected.length);
        expect(await epochLabels(loader)).toEqual(expected);
      }
    });

    test('rollover over epochs shorter than a batch, shuffled, comes to every image once an epoch', async () => {
      const loader = new DataLoader(numbered(3), { batchSize: 4, lastBatch: 'rollover', shuffle: true, seed: 1 });
      const seen: number[] = [];
      for (let epoch = 0; epoch < 4; epoch++) seen.push(...(await epochLabels(loader)).flat());
      expect(seen.length).toBe(12);
      for (let epoch = 0; epoch < 4; epoch++) expect(seen.slice(3 * epoch, 3 * epoch + 3).sort()).toEqual([0, 1, 2]);
    });

    test('a batch size above the number of images gives one batch', async () => {
      expect(await epochLabels(new DataLoader(numbered(3), { batchSize: 1_000_000 }))).toEqual([[0, 1, 2]]);
    });
  });

  describe('shuffle', () => {
    const order = async (options: Partial<DataLoaderOptions>, epochs = 2): Promise<number[][]> => {
      const loader = new DataLoader(numbered(100), { batchSize: 8, shuffle: true, ...options });
      const orders: number[][] = [];
      for (let epoch = 0; epoch < epochs; epoch++) orders.push((await epochLabels(loader)).flat());
      return orders;
    };

    test('gives every image once, in a new order each epoch', async () => {
      const [first, second] = (await order({})) as [number[], number[]];
      for (const labels of [first, second]) expect(labels.toSorted((a, b) => a - b)).toEqual(range(0, 100));
      expect(first).not.toEqual(range(0, 100));
      expect(first).not.toEqual(second);
    });

    test('depends on the seed alone, not on the prefetching', async () => {
      const first = await order({ seed: 5, prefetch: 0 });
      for (const prefetch of [1, 2, 7]) expect(await order({ seed: 5, prefetch })).toEqual(first);
      expect(await order({ seed: 6 })).not.toEqual(first);
    });

    test('follows the global seed, each loader with a stream of its own', async () => {
      seed(3);
      const first = [await order({}), await order({})];
      seed(3);
      expect([await order({}), await order({})]).toEqual(first);
      expect(first[0]).not.toEqual(first[1]);
    });

    test('goes on from an epoch that is set', async () => {
      const all = await order({ seed: 9 }, 4);
      const loader = new DataLoader(numbered(100), { batchSize: 8, shuffle: true, seed: 9 });
      loader.epoch = 3;
      expect((await epochLabels(loader)).flat()).toEqual(all[3]);
      expect(loader.epoch).toBe(4);
      expect(() => Object.assign(loader, { epoch: -1 })).toThrow(ConfigError);
    });
  });

  describe('iterations', () => {
    test('may run at the same time', async () => {
      const loader = new DataLoader(numbered(50), { batchSize: 4 });
      const expected = await epochLabels(loader);
      expect(await Promise.all([epochLabels(loader), epochLabels(loader), epochLabels(loader)])).toEqual([
        expected,
        expected,
        expected,
      ]);
    });

    test('may be left early, and the loader goes on working', async () => {
      const loader = new DataLoader(numbered(50), { batchSize: 4, prefetch: 3 });
      for await (const [, y] of loader) {
        expect([...(await y.data())]).toEqual([0, 1, 2, 3]);
        break;
      }
      const thrown = (async () => {
        for await (const _ of loader) throw new Error('mine');
      })();
      expect((await rejection(thrown)).message).toBe('mine');
      expect((await epochLabels(loader)).flat()).toEqual(range(0, 50));
    });

    test('give their values to tensors that later batches leave alone', async () => {
      const loader = new DataLoader(numbered(40), { batchSize: 4 });
      const kept = [];
      for await (const batch of loader) kept.push(batch);
      for (const [i, [X, y]] of kept.entries()) {
        expect([...(await y.data())]).toEqual(range(4 * i, 4 * i + 4));
        expect(Math.round(((await X.data())[3] as number) * 255)).toBe(4 * i + 3);
      }
    });

    test('leave no tensors behind that were disposed', async () => {
      const loader = new DataLoader(numbered(64), { batchSize: 8 });
      await epochLabels(loader);
      await collectGarbage();
      const before = memory().tensors;
      await epochLabels(loader);
      expect(memory().tensors).toBe(before);
    });
  });
});
