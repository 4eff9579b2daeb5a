// Fashion-MNIST: the real files where they are installed; missing, incomplete and other files anywhere.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fashionMnist, fashionMnistFolders, fashionMnistLabels, loadDataFashionMnist } from '../../lib/data/index.js';
import { idxBytes, rejection, temporaryFolder } from './idx-files.js';

const folder = temporaryFolder();
const installed = fashionMnistFolders().some(
  (f) => existsSync(join(f, 'train-images-idx3-ubyte.gz')) || existsSync(join(f, 'train-images-idx3-ubyte')),
);

afterEach(() => vi.unstubAllEnvs());

/** Files of the test part with the right header and other contents. */
async function writeTestPart(root: string, count = 10_000): Promise<{ images: string; labels: string }> {
  await mkdir(root, { recursive: true });
  const images = join(root, 't10k-images-idx3-ubyte.gz');
  const labels = join(root, 't10k-labels-idx1-ubyte');
  await writeFile(images, gzipSync(idxBytes([count, 28, 28], new Uint8Array(count * 784)), { level: 1 }));
  await writeFile(labels, idxBytes([count], new Uint8Array(count)));
  return { images, labels };
}

test('names every folder looked at and the remedy where there are no files', async () => {
  const root = join(folder.path(), 'nowhere');
  const error = await rejection(fashionMnist({ train: true, root }));
  expect(error.code).toBe('DATA_ERROR');
  for (const looked of fashionMnistFolders(root)) expect(error.message).toContain(looked);
  expect(error.message).toMatch(/apt-get install dataset-fashion-mnist/);
  expect(error.message).toMatch(/RESIDUA_DATA/);
});

test('looks into root alone where it is given, else first into RESIDUA_DATA', () => {
  vi.stubEnv('RESIDUA_DATA', '/data');
  expect(fashionMnistFolders('/mine')).toEqual(['/mine', '/mine/fashion-mnist']);
  expect(fashionMnistFolders().slice(0, 3)).toEqual([
    '/data',
    '/data/fashion-mnist',
    '/usr/share/datasets/fashion-mnist',
  ]);
});

test('names the file that is missing beside the other', async () => {
  const root = join(folder.path(), 'incomplete');
  await mkdir(root);
  await writeFile(join(root, 't10k-labels-idx1-ubyte.gz'), '');
  const error = await rejection(fashionMnist({ train: false, root }));
  expect(error).toMatchObject({ code: 'DATA_ERROR', details: { file: join(root, 't10k-images-idx3-ubyte.gz') } });
});

test('refuses other contents, with file and digests', async () => {
  const root = join(folder.path(), 'other', 'fashion-mnist');
  const { labels } = await writeTestPart(root);
  vi.stubEnv('RESIDUA_DATA', join(folder.path(), 'other'));
  const error = await rejection(fashionMnist({ train: false }));
  expect(error).toMatchObject({ code: 'DATA_ERROR', details: { file: labels } });
  expect(error.message).toMatch(/SHA-256 0402a96d92fd2663.*found SHA-256 [0-9a-f]{64}/);
});

test('refuses other counts', async () => {
  const root = join(folder.path(), 'fewer');
  const { labels } = await writeTestPart(root, 100);
  expect(await rejection(fashionMnist({ train: false, root }))).toMatchObject({
    code: 'DATA_ERROR',
    details: { file: labels, offset: 4, found: '100' },
  });
});

test('refuses options it does not know', async () => {
  for (const options of [{}, { train: 1 }, { train: true, path: '/x' }, null]) {
    expect(await rejection(fashionMnist(options as never))).toMatchObject({ code: 'CONFIG_ERROR' });
  }
  expect(await rejection(loadDataFashionMnist(256, { limit: 0 }))).toMatchObject({ code: 'CONFIG_ERROR' });
  expect(await rejection(loadDataFashionMnist(256, { size: 96 } as never))).toMatchObject({ code: 'CONFIG_ERROR' });
});

describe.skipIf(!installed)('the real data set (skipped where it is not installed)', () => {
  test('has 10,000 test images, the same number of each class', async () => {
    const dataset = await fashionMnist({ train: false });
    expect(dataset.length).toBe(10_000);
    expect(dataset.shape).toEqual([1, 28, 28]);
    expect(dataset.classNames).toEqual(fashionMnistLabels);
    const counts = new Array(10).fill(0);
    for (const label of dataset.labels) counts[label] += 1;
    expect(counts).toEqual(new Array(10).fill(1000));
    expect(dataset.classNames[dataset.labels[0] as number]).toBe('ankle boot');
  });

  test('gives loaders of all images, or of the first ones', async () => {
    const [train, test] = await loadDataFashionMnist(256, { resize: 96 });
    expect([train.length, test.length]).toEqual([235, 40]);
    const [few, fewer] = await loadDataFashionMnist(32, { limit: 100, shuffle: false });
    expect([few.dataset.length, fewer.dataset.length]).toEqual([100, 17]);
    for await (const [X, y] of few) {
      expect(X.shape).toEqual([32, 1, 28, 28]);
      expect((await y.data()).slice(0, 6)).toEqual(Int32Array.of(9, 0, 0, 3, 0, 2));
      break;
    }
  });
});
