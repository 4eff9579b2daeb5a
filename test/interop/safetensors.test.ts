// The safetensors format: what is written byte for byte, other types, every kind of damage.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../lib/index.js';
import { usingSafetensors, writeSafetensors } from '../../lib/interop/safetensors.js';
import { readSafetensors } from '../helpers/safetensors.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();
let files = 0;
const newFile = () => join(folder, `${files++}.safetensors`);

/** A file of the given header (an object, or raw text) and data. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array(), headerLength?: bigint): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength ?? BigInt(json.length));
  const file = newFile();
  writeFileSync(file, Buffer.concat([length, json, data]));
  return file;
}

const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('writing', () => {
  it('follows the format', async () => {
    const file = newFile();
    const tensors = new Map([
      ['a.weight', { shape: [2, 1], values: Float32Array.of(1.5, -2) }],
      ['b', { shape: [], values: Int32Array.of(7) }],
      ['c', { shape: [3], values: Uint8Array.of(1, 2, 3) }],
    ]);
    await writeSafetensors(file, tensors, { step: '12' });
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
      __metadata__: { step: '12' },
      'a.weight': { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] },
      b: { dtype: 'I32', shape: [], data_offsets: [8, 12] },
      c: { dtype: 'U8', shape: [3], data_offsets: [12, 15] },
    });
    const data = bytes.subarray(8 + length);
    expect([data.readFloatLE(0), data.readFloatLE(4), data.readInt32LE(8), ...data.subarray(12)]).toEqual([
      1.5, -2, 7, 1, 2, 3,
    ]);
  });
  it('leaves no temporary file and keeps the old one when it fails', async () => {
    const inside = join(folder, 'inside');
    mkdirSync(inside);
    await writeSafetensors(join(inside, 'x'), new Map());
    expect(readdirSync(inside)).toEqual(['x']);
    mkdirSync(join(inside, 'taken'));
    await expect(writeSafetensors(join(inside, 'taken'), new Map())).rejects.toThrow(CheckpointError);
    expect(readdirSync(inside).sort()).toEqual(['taken', 'x']);
  });
  it('tells why a folder cannot be written', async () => {
    await expect(writeSafetensors(join(folder, 'none', 'x'), new Map())).rejects.toThrow(
      /none\/x: cannot be written: ENOENT/,
    );
    await expect(writeSafetensors('/proc/x', new Map())).rejects.toThrow(CheckpointError);
  });
  it.skipIf(process.getuid?.() === 0)(
    'tells that a folder is read-only (not as root, who may write anywhere)',
    async () => {
      const locked = join(folder, 'locked');
      mkdirSync(locked);
      chmodSync(locked, 0o500);
      await expect(writeSafetensors(join(locked, 'x'), new Map())).rejects.toThrow(/EACCES/);
      expect(existsSync(join(locked, 'x'))).toBe(false);
    },
  );
});

describe('reading', () => {
  it('gives back what was written', async () => {
    const file = newFile();
    await writeSafetensors(
      file,
      new Map([
        ['__proto__', { shape: [2], values: Float32Array.of(1, 2) }],
        ['empty', { shape: [0, 3], values: new Float32Array() }],
      ]),
      { a: 'b' },
    );
    const source = await readSafetensors(file);
    expect([...source.tensors.keys()]).toEqual(['__proto__', 'empty']);
    expect([...source.tensors.get('__proto__')!.values]).toEqual([1, 2]);
    expect(source.tensors.get('empty')!.values.length).toBe(0);
    expect(source.metadata.get('a')).toBe('b');
  });
  it('converts F64, F16 and BF16', async () => {
    const data = Buffer.alloc(8 + 10 + 4);
    data.writeDoubleLE(0.1, 0);
    for (const [i, half] of [0x3c00, 0xc100, 0x0001, 0x7c00, 0x3555].entries()) data.writeUInt16LE(half, 8 + 2 * i);
    data.writeUInt16LE(0x3f80, 18);
    data.writeUInt16LE(0xc049, 20);
    const source = await readSafetensors(
      fileOf({ d: entry(0, 8, [1], 'F64'), h: entry(8, 18, [5], 'F16'), b: entry(18, 22, [2], 'BF16') }, data),
    );
    const valuesOf = (name: string) => [...source.tensors.get(name)!.values];
    expect(valuesOf('d')).toEqual([Math.fround(0.1)]);
    expect(valuesOf('h')).toEqual([1, -2.5, 2 ** -24, Infinity, 0.333251953125]);
    expect(valuesOf('b')).toEqual([1, -3.140625]);
  });
  it('takes single tensors out of files of any size', async () => {
    const large = 5 * 2 ** 30; // no Buffer can be as large; on disk it is a hole
    const header = { hole: entry(0, large, [large], 'U8'), last: entry(large, large + 8) };
    const file = fileOf(header);
    const start = statSync(file).size;
    truncateSync(file, start + large);
    appendFileSync(file, new Uint8Array(Float32Array.of(1.5, -2).buffer));
    await usingSafetensors(file, async (source) => expect([...(await source.readFloats('last'))]).toEqual([1.5, -2]));
    truncateSync(file, start + large + 7);
    await expect(readSafetensors(file)).rejects.toThrow(/'last': expected at least 5368709128 bytes of data, found/);
    rmSync(file);
  });
  it('refuses a tensor larger than memory, though the file has it', async () => {
    const size = 2 ** 40;
    const file = fileOf({ hole: entry(0, size) });
    truncateSync(file, statSync(file).size + size);
    await expect(readSafetensors(file)).rejects.toThrow(CheckpointError);
    await expect(readSafetensors(file)).rejects.toThrow(
      /fits into memory, at most 8589934592 bytes, found one of 1099511627776/,
    );
    rmSync(file);
  });
  it('lets the same field names stand in each entry, and braces and quotes in names', async () => {
    const source = await readSafetensors(fileOf({ 'a"{': entry(0, 4), '}:[\\': entry(4, 8) }, new Uint8Array(8)));
    expect([...source.tensors.keys()]).toEqual(['a"{', '}:[\\']);
  });
  it('refuses to take integers for weights', async () => {
    const file = fileOf({ n: entry(0, 8, [1], 'I64') }, new Uint8Array(8));
    await expect(usingSafetensors(file, (source) => source.readFloats('n'))).rejects.toThrow(
      /'n': expected dtype F32.*found I64/,
    );
  });
});

describe('damage', () => {
  const cases: [string, () => string, RegExp][] = [
    ['no file', newFile, /cannot be read: ENOENT/],
    ['a folder', () => folder, /expected a regular file/],
    [
      'an empty file',
      () => {
        const file = newFile();
        writeFileSync(file, '');
        return file;
      },
      /found 0 bytes/,
    ],
    [
      '7 bytes',
      () => {
        const file = newFile();
        writeFileSync(file, '1234567');
        return file;
      },
      /found 7 bytes/,
    ],
    [
      'a huge header length',
      () => fileOf({}, new Uint8Array(), 2n ** 63n),
      /header length from 2 to 2.*found 9223372036854775808/,
    ],
    [
      'a header longer than the format allows',
      () => {
        const file = fileOf('{', new Uint8Array(), 100_000_001n);
        truncateSync(file, 100_000_010); // a hole: no disk is needed
        return file;
      },
      /header of at most 100000000 bytes.*found 100000001/,
    ],
    [
      'a tensor twice',
      () =>
        fileOf(
          '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
        ),
      /each name once.*'a' twice/,
    ],
    [
      'a field twice',
      () => fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
      /each name once.*'dtype' twice/,
    ],
    [
      'the same bytes for two tensors',
      () => fileOf({ a: entry(0, 8), b: entry(0, 8) }, new Uint8Array(8)),
      /'b'.*begin at 8, found 0: data overlap/,
    ],
    ['a header length beyond the end', () => fileOf({}, new Uint8Array(), 3n), /cut short/],
    ['no header', () => fileOf('', new Uint8Array(8)), /header length/],
    ['no JSON', () => fileOf('{"a": '), /is not JSON/],
    ['no UTF-8', () => fileOf({ a: 1 }, Buffer.from([0xff]), 8n), /is not JSON/],
    ['a list', () => fileOf([1]), /to be a JSON object/],
    ['metadata of numbers', () => fileOf({ __metadata__: { a: 1 } }), /__metadata__/],
    ['an entry that is no object', () => fileOf({ a: null }), /'a': expected a dtype/],
    ['an unknown dtype', () => fileOf({ a: entry(0, 4, [1], 'F31') }, new Uint8Array(4)), /'a'.*found "F31"/],
    [
      'a dtype from the prototype',
      () => fileOf({ a: entry(0, 4, [1], 'constructor') }, new Uint8Array(4)),
      /"constructor"/,
    ],
    [
      'a negative size',
      () => fileOf({ a: entry(0, 4, [-1]) }, new Uint8Array(4)),
      /shape of non-negative integers, found \[-1\]/,
    ],
    ['a shape that is no list', () => fileOf({ a: entry(0, 4, 'x') }, new Uint8Array(4)), /'a': expected a shape/],
    [
      'offsets in the wrong order',
      () => fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, new Uint8Array(4)),
      /'a'.*expected 4 bytes/,
    ],
    [
      'offsets that are no integers',
      () => fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4.5] } }, new Uint8Array(8)),
      /data_offsets/,
    ],
    [
      'another number of bytes',
      () => fileOf({ a: entry(0, 8, [1]) }, new Uint8Array(8)),
      /expected 4 bytes, found data_offsets \[0, 8\]/,
    ],
    [
      'data cut short',
      () => fileOf({ a: entry(0, 8) }, new Uint8Array(5)),
      /'a': expected at least 8 bytes of data, found 5: the file is cut short/,
    ],
    [
      'overlap',
      () => fileOf({ a: entry(0, 8), b: entry(4, 12) }, new Uint8Array(12)),
      /'b': expected its data to begin at 8, found 4/,
    ],
    ['a hole', () => fileOf({ a: entry(0, 4), b: entry(8, 12) }, new Uint8Array(12)), /'b'.*begin at 4, found 8/],
    ['bytes left over', () => fileOf({ a: entry(0, 4) }, new Uint8Array(6)), /expected 4 bytes of data, found 6/],
  ];
  it.each(cases)('%s', async (_, make, message) => {
    const file = make();
    await expect(readSafetensors(file)).rejects.toThrow(CheckpointError);
    await expect(readSafetensors(file)).rejects.toThrow(message);
    await expect(readSafetensors(file)).rejects.toThrow(file); // every message names the file
  });
  it('any cut of a good file is refused', async () => {
    const file = newFile();
    await writeSafetensors(
      file,
      new Map([
        ['a', { shape: [2], values: Float32Array.of(1, 2) }],
        ['b', { shape: [1], values: Float32Array.of(3) }],
      ]),
    );
    const whole = readFileSync(file);
    const cut = newFile();
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(cut, whole.subarray(0, length));
      await expect(readSafetensors(cut), `${length} bytes`).rejects.toThrow(CheckpointError);
    }
  });
});
