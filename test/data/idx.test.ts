// IDX files: what is read, and where each kind of damage is said to be.
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readIdx } from '../../lib/data/idx.js';
import { DataError } from '../../lib/errors.js';
import { countUp, idxBytes, rejection, temporaryFolder } from './idx-files.js';

const folder = temporaryFolder();
const good = idxBytes([3, 4, 5], countUp(60)); // 16 bytes of header, 60 of values

async function dataError(name: string, bytes: Uint8Array, options?: Parameters<typeof readIdx>[1]) {
  const file = await folder.write(name, bytes);
  const error = await rejection(readIdx(file, options));
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toContain(file);
  expect(error.details).toMatchObject({ file });
  return error;
}

test('reads plain and gzipped files, whatever their names', async () => {
  const plain = await folder.write('plain.gz', good);
  const gzipped = await folder.write('gzipped', folder.gzip(good));
  for (const file of [plain, gzipped]) {
    expect(await readIdx(file)).toEqual({ dims: [3, 4, 5], values: countUp(60) });
    expect(await readIdx(file, { dims: [3, null, 5] })).toMatchObject({ dims: [3, 4, 5] });
  }
});

test('reads a file of many chunks and a gzip file of several members', async () => {
  const values = new Uint8Array(randomBytes(700_000));
  const bytes = idxBytes([700, 1000], values);
  const members = Buffer.concat([folder.gzip(bytes.subarray(0, 9)), folder.gzip(bytes.subarray(9))]);
  for (const content of [bytes, members]) {
    const read = await readIdx(await folder.write('large', content));
    expect(Buffer.compare(read.values, values)).toBe(0);
  }
});

test('reads no values where a count is 0', async () => {
  expect(await readIdx(await folder.write('none', idxBytes([0, 28, 28], [])))).toEqual({
    dims: [0, 28, 28],
    values: new Uint8Array(0),
  });
});

test.each([
  ['the magic number', [0x3c, 0x68, 8, 3], 0, /magic number/],
  ['the type', [0, 0, 0x0d, 3], 2, /0x08.*found 0x0d/],
  ['no dimensions', [0, 0, 8, 0], 3, /1 to 8 dimensions, found 0/],
  ['too many dimensions', [0, 0, 8, 9], 3, /1 to 8 dimensions, found 9/],
])('refuses a header with wrong %s', async (_, head, offset, message) => {
  const bytes = good.slice();
  bytes.set(head);
  for (const content of [bytes, folder.gzip(bytes)]) {
    const error = await dataError('header', content);
    expect(error.details).toMatchObject({ offset });
    expect(error.message).toMatch(message);
  }
});

test('refuses other dimensions than the wanted ones', async () => {
  expect((await dataError('dims', good, { dims: [3] })).details).toMatchObject({
    offset: 3,
    expected: '1 dimensions',
    found: '3',
  });
  expect((await dataError('dims', good, { dims: [60_000, 4, 5] })).details).toMatchObject({ offset: 4, found: '3' });
  expect((await dataError('dims', good, { dims: [null, 4, 28] })).details).toMatchObject({ offset: 12, found: '5' });
});

test.each([0, 1, 3, 4, 15, 16, 75])('refuses content cut after %i bytes', async (length) => {
  const plain = await dataError('cut', good.subarray(0, length));
  expect(plain.details).toMatchObject({ offset: length });
  const gzipped = await dataError('cut.gz', folder.gzip(good.subarray(0, length)));
  expect(gzipped.details).toMatchObject({ offset: length, found: 'the end of the content' });
});

test('refuses trailing bytes, in the content and after a gzip stream', async () => {
  const longer = Buffer.concat([good, Buffer.from([7])]);
  expect((await dataError('longer', longer)).details).toMatchObject({ offset: 76, found: 'trailing bytes' });
  expect((await dataError('longer.gz', folder.gzip(longer))).details).toMatchObject({
    offset: 76,
    found: 'trailing bytes',
  });
  const gzipped = folder.gzip(good);
  for (const tail of [Buffer.alloc(5), Buffer.from('tail!')]) {
    const error = await dataError('tail.gz', Buffer.concat([gzipped, tail]));
    expect(error.message).toMatch(/compressed file/);
    expect(error.details?.offset).toBeLessThanOrEqual(gzipped.length);
  }
});

test('says where a gzip stream ends too soon or is damaged', async () => {
  const values = new Uint8Array(randomBytes(1_000_000)); // does not compress: damage stays local
  const gzipped = folder.gzip(idxBytes([1000, 1000], values));
  const cut = await dataError('cut.gz', gzipped.subarray(0, 600_000));
  expect(cut.message).toMatch(/byte 600000 of the compressed file .*more compressed data/);
  expect(cut.details).toMatchObject({ offset: 600_000 });
  const damaged = Buffer.from(gzipped);
  damaged.fill(0xff, 600_000, 600_200);
  const error = await dataError('damaged.gz', damaged);
  expect(error.message).toMatch(/of the compressed file/);
  const checksum = Buffer.from(gzipped);
  checksum[checksum.length - 6] = (checksum[checksum.length - 6] as number) ^ 1;
  expect((await dataError('checksum.gz', checksum)).message).toMatch(/incorrect data check/);
});

test('refuses counts that the file cannot fill, before it makes room for them', async () => {
  const huge = idxBytes([0xffffffff, 0xffffffff], countUp(60));
  expect((await dataError('huge', huge)).details).toMatchObject({ offset: 4 });
  const before = process.memoryUsage().arrayBuffers;
  const lying = await dataError('lying.gz', folder.gzip(idxBytes([1_000_000, 1000], countUp(60))));
  expect(lying.message).toMatch(/1000000012 bytes .* room for at most/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
});

test('stops inflating where the counts end', async () => {
  const bomb = folder.gzip(Buffer.concat([good, Buffer.alloc(20e6)]), { level: 1 });
  bomb.fill(0xff, bomb.length - 8); // a wrong checksum, which only those see who inflate all of it
  expect((await dataError('bomb.gz', bomb)).details).toMatchObject({ offset: 76, found: 'trailing bytes' });
});

test('compares the digest of the uncompressed content', async () => {
  const sha256 = createHash('sha256').update(good).digest('hex');
  for (const content of [good, folder.gzip(good, { level: 1 }), folder.gzip(good, { level: 9 })]) {
    expect((await readIdx(await folder.write('digest', content), { sha256 })).dims).toEqual([3, 4, 5]);
  }
  const changed = good.slice();
  changed[40] = 200;
  const error = await dataError('digest', changed, { sha256 });
  expect(error.message).toContain(sha256);
  expect(error.message).toContain(createHash('sha256').update(changed).digest('hex'));
});

test('refuses what is no readable file: nothing, a folder, a pipe', async () => {
  expect(await rejection(readIdx(join(folder.path(), 'absent')))).toMatchObject({
    code: 'DATA_ERROR',
    message: expect.stringMatching(/ENOENT/),
  });
  expect(await rejection(readIdx(folder.path()))).toMatchObject({
    code: 'DATA_ERROR',
    message: expect.stringMatching(/regular file/),
  });
  const pipe = join(folder.path(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(await rejection(readIdx(pipe))).toMatchObject({
    code: 'DATA_ERROR',
    message: expect.stringMatching(/regular file/),
  });
});
