// MNIST and downloads of IDX files: folders, contents that are not the canonical ones, mirrors that refuse.

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { loadIdxPart } from '../../lib/data/idx-collection.js';
import { fashionMnist, mnist } from '../../lib/data/index.js';
import { fileServer } from './file-server.js';
import { idxBytes, rejection, temporaryFolder } from './idx-files.js';

const folder = temporaryFolder();
const server = fileServer();

afterEach(() => vi.unstubAllEnvs());

test('is looked for in folders of its name, which Fashion-MNIST’s files are not in', async () => {
  vi.stubEnv('RESIDUA_DATA', folder.path());
  const error = await rejection(mnist({ train: true }));
  expect(error.message).toMatch(/^MNIST was not found: no [^\n]+ in any of \/[^\n]+\. Download it with /);
  expect(error.message).toContain(join(folder.path(), 'mnist'));
  expect(error.message).toMatch(/download: true/);
});

test('refuses other contents', async () => {
  const root = join(folder.path(), 'other', 'mnist');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 't10k-images-idx3-ubyte'), idxBytes([10_000, 28, 28], new Uint8Array(7_840_000)));
  await writeFile(join(root, 't10k-labels-idx1-ubyte'), idxBytes([10_000], new Uint8Array(10_000)));
  for (const given of [root, join(root, '..')]) {
    const error = await rejection(mnist({ train: false, root: given }));
    expect(error.message).toMatch(/expected content with SHA-256 ff7bcfd416de3373/);
  }
});

test('is downloaded where asked; another archive is refused by its digest', async () => {
  const root = join(folder.path(), 'download');
  server.behave({ files: { 'train-images-idx3-ubyte.gz': new Uint8Array(9) } });
  for (const load of [mnist, fashionMnist]) {
    const error = await rejection(load({ train: true, root, download: { from: server.url(), retryDelay: 1 } }));
    expect(error.message).toMatch(/MD5 digest [0-9a-f]{32}, found/);
  }
  expect(server.requests).toEqual(['all', 'all']);
});

test('the files of a collection are downloaded, from the second host where the first has none, and read', async () => {
  const content = { images: idxBytes([2, 28, 28], new Uint8Array(1568).fill(5)), labels: idxBytes([2], [3, 4]) };
  const fileOf = (name: string, bytes: Uint8Array) => ({
    ...{ name, sha256: createHash('sha256').update(bytes).digest('hex') },
    md5: createHash('md5').update(folder.gzip(bytes)).digest('hex'),
  });
  const part = { count: 2, images: fileOf('i', content.images), labels: fileOf('l', content.labels) };
  const collection = {
    ...{ title: 'Test', classNames: ['a', 'b', 'c', 'd', 'e'], train: part, test: part, remedy: '' },
    hosts: [server.url('missing'), server.url()],
  };
  server.behave({ files: { 'i.gz': folder.gzip(content.images), 'l.gz': folder.gzip(content.labels) } });
  const target = join(folder.path(), 'collection');
  const dataset = await loadIdxPart(collection, true, [target], true, target);
  expect([...dataset.labels]).toEqual([3, 4]);
  expect(dataset.images.every((pixel) => pixel === 5)).toBe(true);
  expect(server.requests.length).toBe(4);
  await loadIdxPart(collection, true, [target], true, target); // the files are there now
  expect(server.requests.length).toBe(4);
});

test('refuses options it does not know', async () => {
  for (const options of [{}, { train: 'yes' }, { train: true, path: '/x' }])
    expect(await rejection(mnist(options as never))).toMatchObject({ code: 'CONFIG_ERROR' });
});
