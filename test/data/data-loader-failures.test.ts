// DataLoader: batches that cannot be made, options and data sets that are refused.
import { describe, expect, test } from 'vitest';
import { DataLoader, type Dataset } from '../../lib/data/index.js';
import { ConfigError, DataError } from '../../lib/errors.js';
import { rejection } from './idx-files.js';
import { epochLabels, numbered } from './numbered.js';

describe('failures', () => {
  test('of a batch reject the iteration with the cause, also in the middle', async () => {
    const dataset = numbered(20);
    let failing = false;
    const flawed: Dataset = Object.create(dataset, {
      length: { value: dataset.length },
      shape: { value: dataset.shape },
      labels: { value: dataset.labels },
      images: {
        get: () => {
          if (failing) throw new Error('the disk is gone');
          return dataset.images;
        },
      },
    });
    for (const prefetch of [0, 3]) {
      const loader = new DataLoader(flawed, { batchSize: 2, prefetch });
      let batches = 0;
      const run = (async () => {
        for await (const _ of loader) {
          batches += 1;
          failing = true;
        }
      })();
      const error = await rejection(run);
      expect(error).toMatchObject({
        code: 'DATA_ERROR',
        cause: { message: 'the disk is gone' },
        details: { epoch: 0, batch: prefetch + 1 },
      });
      expect(batches).toBe(prefetch + 1);
      failing = false;
      expect((await epochLabels(loader)).length).toBe(10);
    }
  });

  test('of images whose memory was given away reject the iteration', async () => {
    const dataset = numbered(20);
    const loader = new DataLoader(dataset, { batchSize: 2 });
    structuredClone(dataset.images.buffer, { transfer: [dataset.images.buffer as ArrayBuffer] });
    expect(await rejection(epochLabels(loader))).toMatchObject({ code: 'SHAPE_ERROR' });
  });

  test.each([
    [{ batchSize: 0 }],
    [{ batchSize: -1 }],
    [{ batchSize: 1.5 }],
    [{ batchSize: Number.NaN }],
    [{ batchSize: '8' }],
    [{}],
    [{ batchSize: 8, prefetch: -1 }],
    [{ batchSize: 8, prefetch: 1e9 }],
    [{ batchSize: 8, shuffle: 'yes' }],
    [{ batchSize: 8, lastBatch: 'drop' }],
    [{ batchSize: 8, seed: -1 }],
    [{ batchSize: 8, resize: 0 }],
    [{ batchSize: 8, resize: Number.NaN }],
    [{ batchSize: 8, resize: [1, 2, 3] }],
    [{ batchSize: 8, resize: 1e6 }],
    [{ batchSize: 8, device: 'cpu' }],
    [{ batchSize: 8, numWorkers: 4 }],
    [null],
  ])('of options are ConfigErrors: %j', (options) => {
    expect(() => new DataLoader(numbered(10), options as never)).toThrow(ConfigError);
  });

  test('of the data set are told when the loader is made', () => {
    expect(() => new DataLoader(numbered(10).take(0), { batchSize: 2 })).toThrow(DataError);
    const short = { ...numbered(4), length: 4, images: new Uint8Array(3), shape: [1, 1, 1], labels: new Uint8Array(4) };
    expect(() => new DataLoader(short as never, { batchSize: 2 })).toThrow(
      /expected 4 pixels and 4 labels.*got 3 and 4/,
    );
    expect(() => new DataLoader(undefined as never, { batchSize: 2 })).toThrow(ConfigError);
  });
});
