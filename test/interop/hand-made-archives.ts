// Zip archives and pickles written by hand, good and hostile.
import { crc32 } from 'node:zlib';

export interface Entry {
  name: string;
  data: Uint8Array;
  /** 0: stored. */
  method?: number;
  flags?: number;
  /** What the directory says in place of the truth. */
  claims?: { size?: number; stored?: number; headerOffset?: number };
  /** Where its sizes and place are written: in ZIP64's extra field. */
  zip64?: boolean;
}

const uint = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return buffer.subarray(0, bytes);
};

/** A zip file of the entries. `zip64`: the directory's place is in ZIP64's records alone. */
export function zipOf(entries: readonly Entry[], { zip64 = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, method = 0, flags = 0, claims = {}, zip64: isLarge = false } of entries) {
    const text = Buffer.from(name);
    const { size = data.length, stored = data.length, headerOffset = offset } = claims;
    const sums = [uint(flags, 2), uint(method, 2), uint(0, 4), uint(crc32(data), 4)];
    const header = [
      uint(0x04034b50, 4),
      uint(0, 2),
      ...sums,
      uint(stored, 4),
      uint(size, 4),
      uint(text.length, 2),
      uint(0, 2),
      text,
    ];
    const large = Buffer.concat([uint(1, 2), uint(24, 2), uint(size, 8), uint(stored, 8), uint(headerOffset, 8)]);
    const none = uint(0xffffffff, 4);
    directory.push(
      Buffer.concat([
        ...[uint(0x02014b50, 4), uint(0, 4), ...sums, isLarge ? none : uint(stored, 4), isLarge ? none : uint(size, 4)],
        ...[uint(text.length, 2), uint(isLarge ? large.length : 0, 2), uint(0, 2), uint(0, 8)],
        ...[isLarge ? none : uint(headerOffset, 4), text, isLarge ? large : Buffer.alloc(0)],
      ]),
    );
    parts.push(...header, Buffer.from(data));
    offset += header.reduce((sum, part) => sum + part.length, 0) + data.length;
  }
  const names = Buffer.concat(directory);
  const place = [uint(entries.length, 8), uint(entries.length, 8), uint(names.length, 8), uint(offset, 8)];
  const end64 = Buffer.concat([uint(0x06064b50, 4), uint(44, 8), uint(0, 4), uint(0, 8), ...place]);
  const locator = Buffer.concat([uint(0x07064b50, 4), uint(0, 4), uint(offset + names.length, 8), uint(1, 4)]);
  const told = zip64
    ? [uint(0xffff, 2), uint(0xffff, 2), uint(0xffffffff, 4), uint(0xffffffff, 4)]
    : [uint(entries.length, 2), uint(entries.length, 2), uint(names.length, 4), uint(offset, 4)];
  const end = Buffer.concat([uint(0x06054b50, 4), uint(0, 4), ...told, uint(0, 2)]);
  return Buffer.concat([...parts, names, ...(zip64 ? [end64, locator] : []), end]);
}

/** The opcodes of a pickle, for tests that write one. */
export const op = {
  proto: Buffer.from([0x80, 2]),
  stop: Buffer.from('.'),
  mark: Buffer.from('('),
  dict: Buffer.from('}'),
  list: Buffer.from(']'),
  emptyTuple: Buffer.from(')'),
  tuple: Buffer.from('t'),
  setItems: Buffer.from('u'),
  append: Buffer.from('a'),
  reduce: Buffer.from('R'),
  persistent: Buffer.from('Q'),
  build: Buffer.from('b'),
  none: Buffer.from('N'),
  no: Buffer.from([0x89]),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  int: (value: number) => Buffer.concat([Buffer.from([0x8a, 8]), uint(value, 8)]),
  text: (value: string) => Buffer.concat([Buffer.from('X'), uint(Buffer.byteLength(value), 4), Buffer.from(value)]),
  put: (index: number) => Buffer.concat([Buffer.from('r'), uint(index, 4)]),
  get: (index: number) => Buffer.concat([Buffer.from('j'), uint(index, 4)]),
};

export interface TensorSpec {
  key?: string;
  type?: string;
  /** Elements that the pickle claims for the storage. */
  storageSize?: number;
  offset?: number;
  shape: readonly number[];
  strides?: readonly number[];
}

const contiguous = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((n, d) => n * d, 1));
const tuple = (values: readonly Buffer[]): Buffer => Buffer.concat([op.mark, ...values, op.tuple]);

/** _rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict()) */
export function tensorPickle({
  key = '0',
  type = 'FloatStorage',
  storageSize = 4,
  offset = 0,
  shape,
  strides = contiguous(shape),
}: TensorSpec): Buffer {
  const id = tuple([op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), op.int(storageSize)]);
  const hooks = Buffer.concat([op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce]);
  const args = [id, op.persistent, op.int(offset), tuple(shape.map(op.int)), tuple(strides.map(op.int)), op.no, hooks];
  return Buffer.concat([op.global('torch._utils', '_rebuild_tensor_v2'), tuple([Buffer.concat(args)]), op.reduce]);
}

/** A pickled dict. */
export const dictPickle = (items: Record<string, Buffer>): Buffer =>
  Buffer.concat([
    op.dict,
    op.mark,
    ...Object.entries(items).flatMap(([name, value]) => [op.text(name), value]),
    op.setItems,
  ]);

/** A file as torch.save writes it, of the pickle's body (without PROTO and STOP) and the bytes of storages. */
export function torchFile(body: Buffer, storages: Record<string, Uint8Array> = { 0: new Uint8Array(16) }): Buffer {
  return zipOf(torchEntries(body, storages));
}

export const torchEntries = (
  body: Buffer,
  storages: Record<string, Uint8Array> = { 0: new Uint8Array(16) },
): Entry[] => [
  { name: 'archive/data.pkl', data: Buffer.concat([op.proto, body, op.stop]) },
  { name: 'archive/byteorder', data: Buffer.from('little') },
  ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
];

/** A file as torch.save writes it, and torch.load reads it, of a state dict of float32 tensors with a storage each. */
export function stateDictFile(
  tensors: ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>,
): Buffer {
  const entries = [...tensors].map(([name, tensor], i) => ({ name, ...tensor, key: String(i) }));
  const pickles = entries.map(({ name, key, shape, values }) => [
    name,
    tensorPickle({ key, shape, storageSize: values.length }),
  ]);
  const storages = entries.map(({ key, values }) => [
    key,
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  ]);
  const own = torchEntries(dictPickle(Object.fromEntries(pickles)), Object.fromEntries(storages));
  return zipOf([...own, { name: 'archive/version', data: Buffer.from('3\n') }]);
}
