// extractTarGz: archives made by tar, pieces of archives, and what is not in them.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { extractTarGz } from '../../lib/data/tar.js';
import { integerValues } from '../helpers/values.js';
import { rejection, temporaryFolder } from './idx-files.js';

const folder = temporaryFolder();
const contents: Record<string, Uint8Array> = {
  'a.bin': Uint8Array.from(integerValues(200_001, 1, 256)),
  'b.bin': Uint8Array.from(integerValues(512, 2, 256)),
  'c.txt': Buffer.from('passed over'),
};
let archive: string;

beforeAll(async () => {
  const from = join(folder.path(), 'from', 'data');
  await mkdir(from, { recursive: true });
  for (const [name, bytes] of Object.entries(contents)) await writeFile(join(from, name), bytes);
  archive = join(folder.path(), 'data.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', join(folder.path(), 'from'), 'data']);
});

async function target(name: string): Promise<string> {
  const to = join(folder.path(), name);
  await mkdir(to);
  return to;
}

test('writes the wanted files alone', async () => {
  const to = await target('some');
  await extractTarGz(archive, to, ['a.bin', 'b.bin']);
  for (const name of ['a.bin', 'b.bin'])
    expect(Buffer.compare(await readFile(join(to, name)), contents[name] as Uint8Array)).toBe(0);
  expect([existsSync(join(to, 'c.txt')), existsSync(join(to, 'a.bin.part'))]).toEqual([false, false]);
});

test('refuses archives that are cut, are none or lack a file', async () => {
  const to = await target('none');
  const bytes = await readFile(archive);
  const cut = await folder.write('cut.tar.gz', bytes.subarray(0, bytes.length >> 1));
  const text = await folder.write('text.tar.gz', Buffer.from('text'));
  const noTar = await folder.write('no.tar.gz', folder.gzip(Buffer.alloc(5000, 'x')));
  for (const file of [cut, text, noTar, join(to, 'missing.tar.gz')]) {
    const error = await rejection(extractTarGz(file, to, ['a.bin']));
    expect(error).toMatchObject({ code: 'DATA_ERROR', details: { file } });
  }
  expect(existsSync(join(to, 'a.bin'))).toBe(false);
  expect((await rejection(extractTarGz(archive, to, ['z.bin']))).message).toMatch(/no file z\.bin/);
});
