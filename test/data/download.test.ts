// downloadFile: interrupted, resumed, checked, refused and offline, against a server on this machine.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DownloadProgress, downloadFile } from '../../lib/data/index.js';
import { integerValues } from '../helpers/values.js';
import { fileServer } from './file-server.js';
import { rejection, temporaryFolder } from './idx-files.js';

const folder = temporaryFolder();
const server = fileServer();
const content = Uint8Array.from(integerValues(300_000, 1, 256));
const sha256 = createHash('sha256').update(content).digest('hex');
const md5 = createHash('md5').update(content).digest('hex');
const quick = { retryDelay: 1, attempts: 3 };
let files = 0;

/** A new place for a download, in a folder that is not there yet. */
const newFile = (): string => join(folder.path(), `to-${files++}`, 'a.bin');

async function expectContent(file: string): Promise<void> {
  expect(Buffer.compare(await readFile(file), content)).toBe(0);
  expect(existsSync(`${file}.part`)).toBe(false);
}

test('writes the file, checks digests and tells how far it is', async () => {
  server.behave({ files: { 'a.bin': content } });
  const file = newFile();
  const told: DownloadProgress[] = [];
  await downloadFile(server.url('a.bin'), file, { sha256, md5, progress: (progress) => told.push(progress) });
  await expectContent(file);
  expect(told.at(-1)).toEqual({ file, received: content.length, total: content.length, done: true });
  const received = told.map((progress) => progress.received);
  expect(received).toEqual(received.toSorted((a, b) => a - b));
});

describe('dropped connections', () => {
  test('are taken up where they ended', async () => {
    server.behave({ files: { 'a.bin': content }, drops: 4, dropAfter: 60_000 });
    const file = newFile();
    await downloadFile(server.url('a.bin'), file, { sha256, ...quick }); // fewer attempts than drops: each brought something
    await expectContent(file);
    expect(server.requests).toEqual(['all', ...[60, 120, 180, 240].map((k) => `bytes=${k}000-`)]);
  });

  test('start again where the server does not know of ranges', async () => {
    server.behave({ files: { 'a.bin': content }, drops: 1, dropAfter: 60_000, ranges: false });
    const file = newFile();
    await downloadFile(server.url('a.bin'), file, { sha256, ...quick });
    await expectContent(file);
    expect(server.requests).toEqual(['all', 'bytes=60000-']);
  });

  test('end in an error, and a later call goes on', async () => {
    server.behave({ files: { 'a.bin': content }, drops: 99, dropAfter: 100_000 });
    const file = newFile();
    const first = await rejection(downloadFile(server.url('a.bin'), file, { sha256, retryDelay: 1, attempts: 1 }));
    expect(first).toMatchObject({ code: 'DATA_ERROR', details: { file } });
    expect(existsSync(file)).toBe(false);
    server.behave({ drops: 0 });
    await downloadFile(server.url('a.bin'), file, { sha256, ...quick });
    await expectContent(file);
    expect(server.requests.at(-1)).toBe('bytes=100000-');
  });

  test('that stall are given up', async () => {
    server.behave({ files: { 'a.bin': content }, drops: 1, dropAfter: 50_000, stall: true });
    const file = newFile();
    await downloadFile(server.url('a.bin'), file, { sha256, idleTimeout: 300, ...quick });
    await expectContent(file);
    expect(server.requests.length).toBe(2);
  });
});

describe('what lies there from an earlier time', () => {
  test('is all of it: nothing more is sent', async () => {
    server.behave({ files: { 'a.bin': content } });
    const file = await folder.write('complete.bin', new Uint8Array(1));
    await writeFile(`${file}.part`, content);
    await downloadFile(server.url('a.bin'), file, { sha256, ...quick });
    await expectContent(file);
    expect(server.requests).toEqual(['bytes=300000-']);
  });

  test.each([
    ['the start of something else', new Uint8Array(1000)],
    ['more than there is', new Uint8Array(400_000)],
  ])('is %s: downloaded again', async (name, part) => {
    server.behave({ files: { 'a.bin': content } });
    const file = join(folder.path(), name);
    await writeFile(`${file}.part`, part);
    await downloadFile(server.url('a.bin'), file, { sha256, ...quick });
    await expectContent(file);
  });
});

describe('failures are DataErrors', () => {
  test('another content: both digests are named and nothing is kept', async () => {
    server.behave({ files: { 'a.bin': content.subarray(1) } });
    for (const digests of [{ sha256 }, { md5 }]) {
      const file = newFile();
      const error = await rejection(downloadFile(server.url('a.bin'), file, { ...digests, ...quick }));
      expect(error.code).toBe('DATA_ERROR');
      expect(error.message).toContain(Object.values(digests)[0]);
      expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
    }
  });

  test('refusals are not repeated, failures of the server are', async () => {
    server.behave({ files: { 'a.bin': content }, status: 403 });
    const error = await rejection(downloadFile(server.url('a.bin'), newFile(), quick));
    expect(error.message).toMatch(/the server answered 403/);
    expect(server.requests.length).toBe(1);
    server.behave({ status: 503 });
    expect((await rejection(downloadFile(server.url('a.bin'), newFile(), quick))).message).toMatch(/answered 503/);
    expect(server.requests.length).toBe(4);
  });

  test('no connection: the address, the reason and what to do by hand', async () => {
    const file = newFile();
    for (const url of ['http://127.0.0.1:9/a.bin', 'http://residua.invalid/a.bin']) {
      const error = await rejection(downloadFile(url, file, quick));
      expect(error).toMatchObject({ code: 'DATA_ERROR', details: { url } });
      expect(error.message).toMatch(/offline.*put it at/);
      expect(error.message).toContain(file);
    }
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk is told at once, with the file', async () => {
    server.behave({ files: { 'a.bin': content } });
    const file = newFile();
    await mkdir(dirname(file));
    await symlink('/dev/full', `${file}.part`); // every write to it fails so
    const error = await rejection(downloadFile(server.url('a.bin'), file, quick));
    expect(error).toMatchObject({ code: 'DATA_ERROR', details: { file: `${file}.part` } });
    expect(error.message).toMatch(/cannot be written \(ENOSPC.*Make room/);
    expect(existsSync(file)).toBe(false);
  });

  test('options', async () => {
    for (const options of [{ attempts: 0 }, { tries: 1 }])
      expect(await rejection(downloadFile(server.url(), newFile(), options as never))).toMatchObject({
        code: 'CONFIG_ERROR',
      });
  });
});
