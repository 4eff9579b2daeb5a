// Small files that describe huge things: refused, in memory that is bounded by the size of the file, each in a process of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { runNode } from '../cli/run-cli.js';
import { dictPickle, op, type TensorSpec, tensorPickle, torchEntries, torchFile, zipOf } from './hand-made-archives.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();
const child = fileURLToPath(new URL('hostile-file-run.ts', import.meta.url));
const megabyte = 2 ** 20;
/** What a process may take: a few copies of the file, and as much as a pickle's or a header's greatest number of values needs. */
const limit = (fileSize: number): number => 6 * (fileSize / megabyte) + 300;

const repeated = (opcodes: Buffer, count: number): Buffer => Buffer.alloc(opcodes.length * count, opcodes);
const manyOf = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join();

function safetensors(header: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header)]);
}

/** 1000 tensors of 4 MB each on the same 4 MB. */
function overlapping(): Buffer {
  const all: TensorSpec = { shape: [megabyte], storageSize: megabyte };
  const tensors = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [String(i), tensorPickle(all)]));
  return torchFile(dictPickle(tensors), { 0: new Uint8Array(4 * megabyte) });
}

/** An entry that unpacks to 64 MB. */
function bomb(): Buffer {
  const [pickle, order] = torchEntries(dictPickle({ w: tensorPickle({ shape: [4] }) }), {});
  const data = deflateRawSync(Buffer.alloc(64 * megabyte));
  return zipOf([pickle!, order!, { name: 'archive/data/0', data, method: 8, claims: { size: 64 * megabyte } }]);
}

/** A dict of half a million numbers. */
function entries(): Buffer {
  const items = Buffer.alloc(6 * 500_000, op.none);
  for (let i = 0; i < 500_000; i += 1) {
    items[6 * i] = 0x4a; // BININT
    items.writeInt32LE(i, 6 * i + 1);
  }
  return torchFile(Buffer.concat([op.dict, op.mark, items, op.setItems]));
}

const cases: [string, () => Buffer, RegExp][] = [
  ['a zip bomb', bomb, /compressed ones/],
  ['tensors on the same bytes', overlapping, /overlaps '0'/],
  [
    'a tensor of 4 TiB',
    () => safetensors('{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'),
    /cut short/,
  ],
  [
    'lists in lists',
    () => torchFile(Buffer.concat([Buffer.alloc(500_000, op.list), Buffer.alloc(499_999, op.append)])),
    /state dict/,
  ],
  [
    'a million places of the memo',
    () => torchFile(Buffer.concat([op.none, Buffer.alloc(1_000_000, 0x94)])),
    /state dict/,
  ], // MEMOIZE
  ['a million dicts', () => torchFile(Buffer.alloc(1_000_000, op.dict)), /state dict/],
  ['half a million entries', entries, /state dict/],
  [
    'integers of 2040 bits',
    () => torchFile(repeated(Buffer.concat([Buffer.from([0x8a, 255]), Buffer.alloc(255, 0x11)]), 20_000)),
    /state dict/,
  ],
  [
    'a header of 4 million lists',
    () => safetensors(`{"a":[${manyOf(4_000_000, () => '[]')}]}`),
    /at most 262144 values/,
  ],
  [
    'a header as deep as it is long',
    () => safetensors(`{"a":{"shape":${'['.repeat(megabyte)}${']'.repeat(megabyte)}}}`),
    /at most 8 deep/,
  ],
  ['a name of 20 MB', () => safetensors(`{"${'\\n'.repeat(10_000_000)}":0}`), /names of at most 1000 characters/],
  ['a type of 20 MB', () => safetensors(`{"a":{"dtype":"${'x'.repeat(20_000_000)}"}}`), /'a': expected a dtype/],
  [
    'as many names as a header may have',
    () => safetensors(`{"__metadata__":{${manyOf(262_140, (i) => `"${i}":""`)}}}`),
    /^read$/,
  ],
];

test.each(cases)('%s', async (name, make, outcome) => {
  const file = join(folder, `${name}.pth`);
  const bytes = make();
  writeFileSync(file, bytes);
  const { status, stdout, stderr } = await runNode(['--import', 'tsx', child, file]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const found = JSON.parse(stdout) as { outcome: string; megabytes: number };
  expect(found.outcome).toMatch(outcome);
  if (found.outcome !== 'read') expect(found.outcome).toMatch(/^CheckpointError: /);
  expect(found.outcome.length).toBeLessThan(1500);
  expect(found.megabytes).toBeLessThan(limit(bytes.length));
});
