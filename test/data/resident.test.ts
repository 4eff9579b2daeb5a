// Batches from a data set on the device: the same as those of the host, from bytes that are uploaded once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArrayDataset, DataLoader, type DataLoaderOptions } from '../../lib/data/index.js';
import { ConfigError, cpu, memory, setDevice } from '../../lib/index.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { testDevices } from '../helpers/devices.js';
import { expectClose } from '../helpers/tolerances.js';
import { integerValues, sizeOf } from '../helpers/values.js';

const bytes = (n: number, seed: number, below = 256) => Uint8Array.from(integerValues(n, seed, below));

function randomDataset(n: number, shape: readonly [number, number, number] = [1, 7, 5]): ArrayDataset {
  return new ArrayDataset({ images: bytes(n * sizeOf([...shape]), 1), labels: bytes(n, 2, 10), shape });
}

interface HostBatch {
  shape: readonly number[];
  images: Float32Array;
  labels: number[];
}

/** All batches of an epoch. */
async function batchesOf(loader: DataLoader): Promise<HostBatch[]> {
  const batches: HostBatch[] = [];
  for await (const [X, y] of loader) {
    expect([X.dtype, y.dtype, y.shape]).toEqual(['float32', 'int32', [X.shape[0]]]);
    batches.push({ shape: X.shape, images: (await X.data()) as Float32Array, labels: [...(await y.data())] });
    X.dispose();
    y.dispose();
  }
  return batches;
}

describe.each(testDevices)('resident on %s', (device) => {
  beforeAll(() => setDevice(device));
  afterAll(() => setDevice(cpu()));

  const cases: [string, Partial<DataLoaderOptions>, [number, number, number]?][] = [
    ['as they are', {}],
    ['of three channels', {}, [3, 4, 6]],
    ['resized', { resize: [9, 12] }],
    ['made smaller', { resize: 3 }],
    ['shuffled', { shuffle: true, seed: 4, resize: 8 }],
    ['rolled over', { lastBatch: 'rollover', shuffle: true, seed: 1 }],
    ['without prefetching', { prefetch: 0 }],
  ];
  test.each(cases)('images %s: values and order of the host, in two epochs', async (_, options, shape) => {
    const dataset = randomDataset(22, shape);
    const make = (resident: boolean) => new DataLoader(dataset, { batchSize: 6, ...options, resident });
    const [onDevice, onHost] = [make(true), make(false)];
    expect([onDevice.resident, onHost.resident]).toEqual([true, false]);
    for (let epoch = 0; epoch < 2; epoch += 1) {
      const [found, expected] = [await batchesOf(onDevice), await batchesOf(onHost)];
      expect(found.map(({ shape: s, labels }) => [s, labels])).toEqual(expected.map((b) => [b.shape, b.labels]));
      for (const [i, { images }] of found.entries())
        expectClose(images, expected[i]!.images, { rtol: 0, atol: 1e-6, what: `batch ${i}` });
    }
  });

  test('loaders of one data set share its bytes, which are uploaded once', async () => {
    const dataset = randomDataset(40);
    await collectGarbage();
    const before = memory();
    const make = () => new DataLoader(dataset, { batchSize: 8, resident: true });
    const [first, second] = [make(), make()];
    expect(memory().tensors).toBe(before.tensors); // not before the first batch
    for (const loader of [first, second, first]) {
      await batchesOf(loader);
      expect(memory()).toMatchObject({ tensors: before.tensors + 2, bytes: before.bytes + 40 * 35 + 40 });
    }
  });

  test('several iterations at a time, left early too', async () => {
    const loader = new DataLoader(randomDataset(30), { batchSize: 4, resident: true });
    const expected = await batchesOf(loader);
    for await (const [X, y] of loader) {
      X.dispose();
      y.dispose();
      break;
    }
    expect(await Promise.all([batchesOf(loader), batchesOf(loader)])).toEqual([expected, expected]);
  });
});

test("by default a data set lies on a GPU, not in the CPU's memory a second time", () => {
  for (const device of testDevices) {
    const loader = new DataLoader(randomDataset(4), { batchSize: 2, device });
    expect([device.name, loader.resident]).toEqual([device.name, device.kind === 'gpu']);
  }
});

test('by default not where it takes a quarter of the free memory or more', () => {
  for (const device of testDevices.filter(({ kind }) => kind === 'gpu')) {
    const huge = {
      ...randomDataset(1),
      length: 2 ** 34,
      shape: [1, 64, 64],
      take: () => huge,
    } as never as ArrayDataset;
    Object.assign(huge, { images: { length: 2 ** 46 }, labels: { length: 2 ** 34 } });
    expect(new DataLoader(huge, { batchSize: 2, device }).resident).toBe(false);
  }
});

test('other values are ConfigErrors', () => {
  for (const resident of ['yes', 1, null])
    expect(() => new DataLoader(randomDataset(4), { batchSize: 2, resident: resident as never })).toThrow(ConfigError);
});
