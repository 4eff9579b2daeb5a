// DataLoader with transforms and worker threads: the same bytes for any number of them, failures, ends.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  ArrayDataset,
  DataLoader,
  type DataLoaderOptions,
  imageFolder,
  type LoaderDataset,
  synthetic,
  transforms,
} from '../../lib/data/index.js';
import type { SampleJob } from '../../lib/data/sample.js';
import { WorkerPool } from '../../lib/data/worker-pool.js';
import { packageRoot } from '../../lib/native.js';
import { memory } from '../../lib/tensor/memory.js';
import { seed } from '../../lib/tensor/random.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { compiledLibrary } from '../helpers/dist.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { countUp, rejection, temporaryFolder } from './idx-files.js';
import { type ImageTree, writeImageTree } from './image-tree.js';

const folder = temporaryFolder();
let tree: ImageTree;

beforeAll(async () => {
  tree = await writeImageTree(join(folder.path(), 'tree'));
});

const everything = [
  transforms.randomHorizontalFlip(),
  transforms.randomCrop([32, 32], { padding: 4 }),
  transforms.colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
  transforms.cutout(8),
  transforms.normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]),
];

/** Values and labels of all batches of some epochs. */
async function contents<D extends LoaderDataset>(
  dataset: D,
  options: Partial<DataLoaderOptions>,
  epochs = 2,
): Promise<{ x: Float32Array; y: number[] }[]> {
  await using loader = new DataLoader(dataset, { batchSize: 5, shuffle: true, seed: 7, ...options });
  const batches = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const [X, y] of loader) {
      batches.push({ x: (await X.data()) as Float32Array, y: [...(await y.data())] });
      X.dispose();
      y.dispose();
    }
  }
  return batches;
}

onEachDevice(() => {
  describe('the same bytes', () => {
    test('of images in memory for 0, 1 and 3 workers, any prefetching', async () => {
      const dataset = synthetic({ length: 23 });
      const expected = await contents(dataset, { transform: everything });
      expect(expected.length).toBe(10);
      expect(expected[0]!.x.length).toBe(5 * 3 * 32 * 32);
      for (const options of [{ workers: 1 }, { workers: 3 }, { workers: 3, prefetch: 0 }, { prefetch: 7 }])
        expect(await contents(dataset, { transform: everything, ...options })).toEqual(expected);
    });

    test('of image files for 0, 1 and 3 workers, broken ones left out', async () => {
      const dataset = await imageFolder(tree.root, { onBroken: () => {} });
      const transform = [transforms.randomResizedCrop(32), ...everything];
      const expected = await contents(dataset, { transform });
      expect(expected.flatMap(({ y }) => y).length).toBe(24);
      for (const workers of [1, 3]) expect(await contents(dataset, { transform, workers })).toEqual(expected);
    });

    test('from the middle of an epoch', async () => {
      const dataset = synthetic({ length: 23 });
      const expected = await contents(dataset, { transform: everything });
      await using loader = new DataLoader(dataset, { batchSize: 5, shuffle: true, seed: 7, transform: everything });
      loader.epoch = 1;
      const rest = [];
      for await (const [X, y] of loader.from(3)) rest.push({ x: await X.data(), y: [...(await y.data())] });
      expect(rest).toEqual(expected.slice(8));
      expect(loader.epoch).toBe(2);
    });

    test('follow the global seed where none is given', async () => {
      const dataset = synthetic({ length: 6 });
      const options = { transform: everything, seed: undefined };
      seed(3);
      const first = [await contents(dataset, options, 1), await contents(dataset, options, 1)];
      seed(3);
      expect([await contents(dataset, options, 1), await contents(dataset, options, 1)]).toEqual(first);
      expect(first[0]).not.toEqual(first[1]);
    });
  });

  test('other epochs, places and seeds get other random numbers', async () => {
    // 40 images of one pixel, all alike: what differs is drawn.
    const dataset = new ArrayDataset({ images: new Array(40).fill(100), labels: countUp(40), shape: [1, 1, 1] });
    const transform = transforms.colorJitter({ brightness: 0.9 });
    const values = async (options: Partial<DataLoaderOptions>) =>
      (await contents(dataset, { transform, ...options })).map(({ x }) => [...x]);
    const batches = await values({ shuffle: false });
    const [first, second] = [batches.slice(0, 8).flat(), batches.slice(8).flat()];
    expect(new Set(first).size).toBeGreaterThan(25);
    expect(first).not.toEqual(second);
    expect((await values({ shuffle: false, seed: 8 })).flat().slice(0, 40)).not.toEqual(first);
    expect((await values({ shuffle: false, batchSize: 7 })).flat().slice(0, 40)).toEqual(first);
  });

  test('images in memory are normalised on the device, resident or not', async () => {
    const dataset = new ArrayDataset({ images: [0, 51, 102, 255], labels: [0, 1], shape: [1, 1, 2] });
    const transform = transforms.normalize(0.5, 0.25);
    for (const resident of [false, true]) {
      const [batch] = await contents(dataset, { transform, resident, shuffle: false }, 1);
      expect([...batch!.x]).toEqual([-2, -1.2, -0.4, 2].map((value) => expect.closeTo(value, 5)));
    }
  });

  test('the option resize comes after the transforms', async () => {
    const dataset = new ArrayDataset({ images: [0, 255, 255, 0], labels: [0], shape: [1, 1, 4] });
    const [batch] = await contents(dataset, { transform: transforms.centerCrop([1, 2]), resize: [1, 4] }, 1);
    expect([...batch!.x]).toEqual([1, 1, 1, 1]);
  });

  test('leave no tensors behind that were disposed, but for the normalisation’s own', async () => {
    const dataset = synthetic({ length: 20 });
    await using loader = new DataLoader(dataset, { batchSize: 4, transform: everything, workers: 2 });
    const once = async () => {
      for await (const [X, y] of loader) {
        X.dispose();
        y.dispose();
      }
    };
    await once();
    await collectGarbage();
    const before = memory().tensors;
    await once();
    expect(memory().tensors).toBe(before);
  });
});

describe('balanced sampling', () => {
  test('draws every class equally often, rare images again with other random numbers', async () => {
    const labels = [...new Array(30).fill(0), ...new Array(8).fill(1), 2, 2];
    const dataset = new ArrayDataset({ images: countUp(40), labels, shape: [1, 1, 1] });
    const rows: number[][] = [];
    const loader = new DataLoader(dataset, { batchSize: 40, shuffle: true, balanced: true, seed: 1 });
    for (let epoch = 0; epoch < 3; epoch++) {
      for await (const [X, y] of loader) {
        const found = [...(await y.data())];
        const counts = [0, 1, 2].map((label) => found.filter((other) => other === label).length).sort();
        expect(counts).toEqual([13, 13, 14]);
        rows.push([...(await X.data())].map((value) => Math.round(value * 255)));
        expect(rows.at(-1)!.map((row) => labels[row])).toEqual(found);
      }
    }
    for (const order of rows) {
      const times = (row: number) => order.filter((other) => other === row).length;
      for (let row = 0; row < 30; row++) expect(times(row)).toBeLessThanOrEqual(1);
      for (let row = 30; row < 38; row++) expect([1, 2]).toContain(times(row));
      for (let row = 38; row < 40; row++) expect([6, 7]).toContain(times(row));
    }
    expect(rows[0]).not.toEqual(rows[1]);
    loader.epoch = 1;
    for await (const [X] of loader)
      expect([...(await X.data())].map((value) => Math.round(value * 255))).toEqual(rows[1]);
  });
});

describe('worker threads', () => {
  const job: SampleJob = {
    source: { pixels: new Uint8Array(4), size: [2, 2] },
    transforms: [],
    ...{ seed: 0, stream: 0, epoch: 0, position: 0, channels: 1, size: [2, 2], out: new Uint8Array(4) },
  };
  /** A pool whose threads run this JavaScript. */
  const poolOf = async (program: string): Promise<WorkerPool> => {
    const file = await folder.write(`worker-${Math.random()}.mjs`, Buffer.from(program));
    return new WorkerPool(2, pathToFileURL(file));
  };
  const onMessage = (body: string) =>
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', ({ id }) => { ${body} });`;

  test('that die reject their jobs with the reason, and others take their place', async () => {
    for (const [body, reason] of [
      ['process.exit(3)', /died.*status 3/],
      ["throw new Error('lost')", /died.*lost/],
    ] as const) {
      const pool = await poolOf(onMessage(body));
      for (let round = 0; round < 2; round++) {
        const errors = await Promise.all([0, 1, 2].map(() => rejection(pool.run(job))));
        for (const error of errors)
          expect(error).toMatchObject({ code: 'DATA_ERROR', message: expect.stringMatching(reason) });
      }
      await pool.dispose();
    }
  });

  test('that cannot start reject their jobs', async () => {
    const pool = new WorkerPool(1, pathToFileURL(join(folder.path(), 'missing.mjs')));
    expect(await rejection(pool.run(job))).toMatchObject({ code: 'DATA_ERROR' });
    await pool.dispose();
  });

  test('that report a failure reject that job alone', async () => {
    const pool = await poolOf(
      onMessage("parentPort.postMessage(id === 0 ? { id, failed: 'no memory' } : { id, broken: [] })"),
    );
    const [first, second] = await Promise.allSettled([pool.run(job), pool.run(job)]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'DATA_ERROR' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: [] });
    await pool.dispose();
  });

  test('end when the loader is disposed, under way too', async () => {
    const pool = await poolOf(onMessage(''));
    const waiting = rejection(pool.run(job));
    await pool.dispose();
    expect(await waiting).toMatchObject({ code: 'DISPOSED' });
    expect(await rejection(pool.run(job))).toMatchObject({ code: 'DISPOSED' });
    const loader = new DataLoader(synthetic({ length: 9 }), { batchSize: 2, transform: everything, workers: 2 });
    for await (const _ of loader) break;
    await loader.dispose();
    await loader.dispose();
    expect(await rejection(loader[Symbol.asyncIterator]().next())).toMatchObject({ code: 'DISPOSED' });
  });

  test('keep no process alive: the compiled library', async () => {
    const program = `
      const { data } = await import('${pathToFileURL(compiledLibrary())}');
      const options = { batchSize: 4, workers: 2, transform: data.transforms.randomHorizontalFlip() };
      const loader = new data.DataLoader(data.synthetic({ length: 40 }), options);
      let images = 0;
      for await (const [X] of loader) images += X.shape[0];
      for await (const [X] of loader) break;
      console.log(images);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: packageRoot,
      timeout: 50_000,
    });
    expect(stdout.trim()).toBe('40');
  });
});
