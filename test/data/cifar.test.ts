// CIFAR-10 and CIFAR-100 from files of the canonical sizes with made-up pixels; downloads of archives.
import { existsSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cifar10, cifar10Labels, cifar100, cifar100CoarseLabels, cifar100Labels } from '../../lib/data/index.js';
import { fileServer } from './file-server.js';
import { rejection, temporaryFolder } from './idx-files.js';

const folder = temporaryFolder();
const server = fileServer();

afterEach(() => vi.unstubAllEnvs());

/** Records whose labels and first and last pixels tell where they come from. */
function records(count: number, labelsOf: (row: number) => number[], mark: number): Uint8Array {
  const labelBytes = labelsOf(0).length;
  const size = labelBytes + 3072;
  const bytes = new Uint8Array(count * size);
  for (let row = 0; row < count; row++) {
    bytes.set(labelsOf(row), row * size);
    bytes[row * size + labelBytes] = row % 251;
    bytes[row * size + size - 1] = mark;
  }
  return bytes;
}

async function folderOf(name: string, files: Record<string, Uint8Array>): Promise<string> {
  const path = join(folder.path(), name);
  await mkdir(path, { recursive: true });
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
  return path;
}

const testBatch = (): Uint8Array => records(10_000, (row) => [row % 10], 99);

describe('CIFAR-10', () => {
  test('training images come from five files, in their order', async () => {
    const files = Object.fromEntries(
      [1, 2, 3, 4, 5].map((i) => [`data_batch_${i}.bin`, records(10_000, (row) => [(row + i) % 10], i)]),
    );
    const root = await folderOf('ten/cifar-10-batches-bin', files);
    const dataset = await cifar10({ train: true, root: join(root, '..') });
    expect(dataset).toMatchObject({ length: 50_000, shape: [3, 32, 32], classNames: cifar10Labels });
    for (const row of [0, 9_999, 10_000, 23_456, 49_999]) {
      const file = 1 + Math.floor(row / 10_000);
      expect(dataset.labels[row]).toBe(((row % 10_000) + file) % 10);
      expect(dataset.images[row * 3072]).toBe((row % 10_000) % 251);
      expect(dataset.images[row * 3072 + 3071]).toBe(file);
    }
  });

  test('is found in the folder itself and through RESIDUA_DATA', async () => {
    const root = await folderOf('named/cifar-10-batches-bin', { 'test_batch.bin': testBatch() });
    expect((await cifar10({ train: false, root })).length).toBe(10_000);
    vi.stubEnv('RESIDUA_DATA', join(folder.path(), 'named'));
    expect((await cifar10({ train: false })).length).toBe(10_000);
  });

  test('names the folders looked at and the remedies where there are no files', async () => {
    const root = join(folder.path(), 'nowhere');
    const error = await rejection(cifar10({ train: true, root }));
    expect(error.code).toBe('DATA_ERROR');
    for (const part of [root, join(root, 'cifar-10-batches-bin'), 'download: true', 'cifar-10-binary.tar.gz'])
      expect(error.message).toContain(part);
  });

  test('refuses other sizes, labels and contents, with the file and the byte', async () => {
    const bytes = testBatch();
    const root = await folderOf('wrong', { 'test_batch.bin': bytes });
    const file = join(root, 'test_batch.bin');
    await truncate(file, 30_729_999);
    expect(await rejection(cifar10({ train: false, root }))).toMatchObject({
      code: 'DATA_ERROR',
      details: { file, offset: 30_729_999, expected: 30_730_000, found: 30_729_999 },
    });
    bytes[3073 * 7] = 10;
    await writeFile(file, bytes);
    expect(await rejection(cifar10({ train: false, root }))).toMatchObject({
      code: 'DATA_ERROR',
      details: { file, offset: 3073 * 7, found: 10 },
    });
    bytes[3073 * 7] = 0; // in range, but 7 was there
    await writeFile(file, bytes);
    const error = await rejection(cifar10({ train: false, root }));
    expect(error.message).toMatch(/expected 1000 images of each class, found 1001 of 'airplane'/);
  });

  test('refuses options it does not know', async () => {
    for (const options of [{}, { train: 1 }, { train: true, labels: 'fine' }, null])
      expect(await rejection(cifar10(options as never))).toMatchObject({ code: 'CONFIG_ERROR' });
  });
});

test('CIFAR-100 has coarse labels before the fine ones', async () => {
  const root = await folderOf('hundred', { 'test.bin': records(10_000, (row) => [row % 20, row % 100], 7) });
  const fine = await cifar100({ train: false, root });
  expect(fine.classNames).toEqual(cifar100Labels);
  expect([fine.labels[42], fine.labels[142], fine.images[42 * 3072], fine.images[3071]]).toEqual([42, 42, 42, 7]);
  const coarse = await cifar100({ train: false, root, labels: 'coarse' });
  expect(coarse.classNames).toEqual(cifar100CoarseLabels);
  expect([coarse.labels[42], coarse.images[42 * 3072]]).toEqual([2, 42]);
  expect(await rejection(cifar100({ train: false, root, labels: 'both' as never }))).toMatchObject({
    code: 'CONFIG_ERROR',
  });
});

test('class names are complete and sorted as published', () => {
  expect([cifar10Labels.length, cifar100Labels.length, cifar100CoarseLabels.length]).toEqual([10, 100, 20]);
  for (const names of [cifar10Labels, cifar100Labels, cifar100CoarseLabels]) {
    expect(new Set(names).size).toBe(names.length);
    expect(names.toSorted()).toEqual(names);
  }
});

describe('downloads', () => {
  test('are made only where asked, and refused unless they are the published archive', async () => {
    const root = join(folder.path(), 'downloads');
    server.behave({ files: { 'cifar-10-binary.tar.gz': folder.gzip(Buffer.from('another archive')) } });
    await rejection(cifar10({ train: false, root }));
    expect(server.requests).toEqual([]);
    const error = await rejection(cifar10({ train: false, root, download: { from: server.url(), retryDelay: 1 } }));
    expect(error.message).toMatch(/MD5 digest c32a1d4ab5d03f1284b67883e8d87530/);
    expect(server.requests.length).toBe(1);
    expect(existsSync(join(root, 'cifar-10-binary.tar.gz'))).toBe(false);
  });

  test('say what to do offline', async () => {
    const root = join(folder.path(), 'offline');
    const download = { from: 'http://127.0.0.1:9', attempts: 1 };
    const error = await rejection(cifar100({ train: true, root, download }));
    expect(error.message).toMatch(/offline/);
    expect(error.message).toContain(join(root, 'cifar-100-binary.tar.gz'));
  });
});
