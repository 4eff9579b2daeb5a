// PyTorch's files: what torch.save wrote, value by value; and files made to deceive, damaged or too large, all refused.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../lib/index.js';
import { openWeights, type WeightsFile } from '../../lib/interop/weights-file.js';
import { rejectionOf } from '../helpers/errors.js';
import { decode, type Encoded, readJson } from '../helpers/fixtures.js';
import {
  dictPickle,
  type Entry,
  op,
  type TensorSpec,
  tensorPickle,
  torchEntries,
  torchFile,
  zipOf,
} from './hand-made-archives.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();
const weights = (name: string): string => new URL(`../fixtures/weights/${name}`, import.meta.url).pathname;
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
let files = 0;

function fileOf(bytes: Uint8Array): string {
  const file = join(folder, `${files++}.pth`);
  writeFileSync(file, bytes);
  return file;
}

async function using<T>(file: string, use: (opened: WeightsFile) => Promise<T>): Promise<T> {
  const opened = await openWeights(file);
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

const valuesIn = (file: string, name: string): Promise<number[]> =>
  using(file, async ({ tensors }) => [...((await tensors.get(name)?.readFloats()) ?? [])]);

/** The error of a file, which must be a CheckpointError that names it. */
async function refusal(bytes: Uint8Array): Promise<CheckpointError> {
  const file = fileOf(bytes);
  const error = await rejectionOf(
    using(file, async ({ tensors }) => Promise.all([...tensors.values()].map((tensor) => tensor.readFloats()))),
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as CheckpointError).message).toContain(file);
  return error as CheckpointError;
}

describe('what torch.save wrote', () => {
  const { views } = readJson<{ views: Record<string, Encoded> }>('weights');
  const isFloat = (name: string): boolean => !/^type\.(u?int|bool)/.test(name);

  it.each(Object.keys(views).filter(isFloat))('%s has its values in row-major order', async (name) => {
    const expected = views[name] as Encoded;
    await using(weights('views.pt'), async ({ format, tensors }) => {
      expect(format).toBe('pytorch');
      expect(tensors.get(name)?.shape).toEqual(expected.shape);
      expect(await tensors.get(name)?.readFloats()).toEqual(decode(expected));
    });
  });
  it.each(Object.keys(views).filter((name) => !isFloat(name)))('%s is no weight', async (name) => {
    await expect(valuesIn(weights('views.pt'), name)).rejects.toThrow(
      new RegExp(`'${name}': expected dtype F32.*found (I|U|BOOL)`),
    );
  });
  it('finds the state dict of a training checkpoint, beside a tensor of its own and the optimiser', async () => {
    await using(weights('checkpoint.pth'), async ({ tensors }) => {
      expect([...tensors.keys()][0]).toBe('module.conv1.weight');
      expect(tensors.has('best_acc1')).toBe(false);
    });
  });
  it('refuses the format of before 1.6 and tells how to save it again', async () => {
    await expect(openWeights(weights('legacy.pth'))).rejects.toThrow(/before 1\.6.*torch\.save\(torch\.load/);
  });
  it.each(['torchvision.pth', 'checkpoint.pth'])('%s is refused at any cut', async (name) => {
    const whole = readFileSync(weights(name));
    for (let length = 0; length < whole.length; length += 64) await refusal(whole.subarray(0, length));
    await refusal(whole.subarray(0, -1));
  });
  it('gives a value or a CheckpointError whatever byte is changed', async () => {
    const whole = readFileSync(weights('views.pt'));
    for (let at = 0; at < whole.length; at += 7) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      const outcome = await using(fileOf(changed), async ({ tensors }) => {
        for (const { dtype, readFloats } of tensors.values()) if (dtype.startsWith('F')) await readFloats();
      }).catch((error: unknown) => error);
      if (outcome !== undefined) expect(outcome, `byte ${at}`).toBeInstanceOf(CheckpointError);
    }
  });
});

describe('the archive', () => {
  const body = dictPickle({ w: tensorPickle({ shape: [4] }) });
  const storages = { 0: floats(1, 2, 3, 4) };
  const [pickle, order, data] = torchEntries(body, storages) as [Entry, Entry, Entry];

  it('written by hand is read', async () => {
    expect(await valuesIn(fileOf(torchFile(body, storages)), 'w')).toEqual([1, 2, 3, 4]);
  });
  it('may have its sizes and places in ZIP64 fields', async () => {
    const entries = torchEntries(body, storages).map((entry) => ({ ...entry, zip64: true }));
    expect(await valuesIn(fileOf(zipOf(entries, { zip64: true })), 'w')).toEqual([1, 2, 3, 4]);
  });
  it('needs no byte order, as before PyTorch 2.1', async () => {
    expect(await valuesIn(fileOf(zipOf([pickle, data])), 'w')).toEqual([1, 2, 3, 4]);
  });

  const bomb = deflateRawSync(Buffer.alloc(2 ** 20));
  const cases: [string, () => Buffer, RegExp][] = [
    ['nothing', () => Buffer.alloc(0), /found an empty file/],
    [
      'something else',
      () => Buffer.from('not a zip archive at all'),
      /expected a zip archive of torch\.save.*found bytes 6e6f/,
    ],
    [
      'the first bytes of a zip file alone',
      () => Buffer.from('PK\x03\x04 and then other things than a zip file has'),
      /directory of a zip file at its end/,
    ],
    [
      'compressed entries: a zip bomb',
      () => zipOf([pickle, order, { name: 'archive/data/0', data: bomb, method: 8, claims: { size: 2 ** 31 } }]),
      /'archive\/data\/0': expected bytes stored as they are.*method 8/,
    ],
    ['an encrypted entry', () => zipOf([pickle, order, { ...data, flags: 1 }]), /encrypted/],
    [
      'sizes that differ',
      () => zipOf([pickle, order, { ...data, claims: { size: 2 ** 31 } }]),
      /expected 16 bytes, as many as are stored, found 2147483648/,
    ],
    [
      'an entry beyond the end',
      () => zipOf([pickle, order, { ...data, claims: { size: 2 ** 31, stored: 2 ** 31 } }]),
      /expected it to end by byte/,
    ],
    [
      'a ZIP64 size beyond 2^53',
      () => zipOf([pickle, order, { ...data, zip64: true, claims: { size: 2 ** 60, stored: 2 ** 60 } }]),
      /below 2\^53/,
    ],
    [
      'entries on the same bytes',
      () => zipOf([pickle, order, { ...data, claims: { headerOffset: 0 } }]),
      /entries overlap/,
    ],
    ['a header that is not there', () => zipOf([pickle, { ...order, claims: { headerOffset: 5 } }, data]), /expected/],
    ['a name twice', () => zipOf([pickle, pickle, order, data]), /'archive\/data\.pkl' twice/],
    ['two pickles', () => zipOf([pickle, { ...pickle, name: 'other/data.pkl' }, data]), /with one data\.pkl, found 2/],
    ['no pickle', () => zipOf([order, data]), /with one data\.pkl, found 0/],
    [
      'big-endian bytes',
      () => zipOf([pickle, { ...order, data: Buffer.from('big') }, data]),
      /byte order 'little', found "big"/,
    ],
    [
      'a TorchScript archive',
      () => zipOf([pickle, order, data, { name: 'archive/constants.pkl', data: Buffer.alloc(1) }]),
      /TorchScript/,
    ],
  ];
  it.each(cases)('refused: %s', async (_, make, message) => {
    expect((await refusal(make())).message).toMatch(message);
  });
});

describe('the pickle', () => {
  const marker = join(folder, 'executed');
  const call = `touch ${marker}`;
  const pickles: [string, Buffer, RegExp][] = [
    [
      'os.system by GLOBAL',
      Buffer.concat([op.global('posix', 'system'), op.mark, op.text(call), op.tuple, op.reduce]),
      /'posix\.system'.*torch\.save\(model\.state_dict\(\)/,
    ],
    [
      'os.system by STACK_GLOBAL',
      Buffer.concat([
        op.text('posix'),
        op.text('system'),
        Buffer.from([0x93]),
        op.mark,
        op.text(call),
        op.tuple,
        op.reduce,
      ]),
      /'posix\.system'/,
    ],
    [
      'eval',
      Buffer.concat([op.global('builtins', 'eval'), op.mark, op.text('1'), op.tuple, op.reduce]),
      /'builtins\.eval'/,
    ],
    ['INST', Buffer.concat([op.mark, op.text(call), Buffer.from('iposix\nsystem\n')]), /INST \(0x69\)/],
    ['OBJ', Buffer.concat([op.mark, op.global('collections', 'OrderedDict'), Buffer.from('o')]), /OBJ \(0x6f\)/],
    [
      'NEWOBJ',
      Buffer.concat([op.global('collections', 'OrderedDict'), op.emptyTuple, Buffer.from([0x81])]),
      /NEWOBJ \(0x81\)/,
    ],
    ['EXT1', Buffer.from([0x82, 1]), /EXT1/],
    [
      'a whole module',
      Buffer.concat([op.global('torchvision.models.resnet', 'ResNet'), op.emptyTuple, op.reduce]),
      /'torchvision\.models\.resnet\.ResNet'/,
    ],
    ['a name from the prototype', op.global('constructor', 'call'), /'constructor\.call'/],
    [
      'a storage type that is called',
      Buffer.concat([op.global('torch', 'FloatStorage'), op.emptyTuple, op.reduce]),
      /may be called, found 'torch\.FloatStorage'/,
    ],
    ['a string that is called', Buffer.concat([op.text('x'), op.emptyTuple, op.reduce]), /may be called, found "x"/],
    [
      'a dict with state that is no dict',
      Buffer.concat([op.list, op.none, op.build]),
      /to give attributes to, found a list/,
    ],
    ['nothing on the stack', op.reduce, /values on the stack, found 0/],
    ['no mark', op.tuple, /a mark on the stack/],
    ['values below the mark', Buffer.concat([op.dict, op.mark, op.reduce]), /values on the stack, found 0/],
    ['a memo that is empty', op.get(7), /place 7 of the memo/],
    ['a text longer than the pickle', Buffer.from('X\xff\xff\xff\x7fabc', 'latin1'), /2147483647 more bytes/],
    ['no UTF-8', Buffer.from('X\x01\x00\x00\x00\xff', 'latin1'), /UTF-8/],
    ['a key without value', Buffer.concat([op.dict, op.mark, op.text('a'), op.setItems]), /keys with values/],
    ['items for a list', Buffer.concat([op.list, op.mark, op.setItems]), /a dict to put items into, found a list/],
    ['no state dict', op.none, /a state dict.*found none/],
    [
      'a dict in itself',
      Buffer.concat([op.dict, op.put(0), op.mark, op.text('model'), op.get(0), op.setItems]),
      /a state dict.*found none/,
    ],
    [
      'lists in lists in lists',
      Buffer.concat([...Array(1e5).fill(op.list), ...Array(1e5 - 1).fill(op.append)]),
      /a state dict.*found none/,
    ],
    ['more values than any net needs', Buffer.alloc(2 ** 20 + 1, '}'), /at most 1048576 opcodes/],
    ['protocol 1', Buffer.from([0x80, 1]), /protocol 2 to 5, found 1/],
  ];
  it.each(pickles)('refused, and not executed: %s', async (_, body, message) => {
    const { message: found } = await refusal(torchFile(body));
    expect(found).toMatch(message);
    expect(existsSync(marker)).toBe(false);
  });
  it('tells the byte of the file', async () => {
    const bytes = torchFile(Buffer.concat([op.none, op.global('posix', 'system')]));
    const { details } = await refusal(bytes);
    expect(details.offset).toBe(bytes.indexOf('cposix'));
    expect(details.found).toContain('posix.system');
  });
  it('may use a place of the memo far away', async () => {
    const body = Buffer.concat([dictPickle({ w: tensorPickle({ shape: [4] }) }), op.put(2 ** 32 - 1)]);
    expect(await valuesIn(fileOf(torchFile(body, { 0: floats(1, 2, 3, 4) })), 'w')).toEqual([1, 2, 3, 4]);
  });
  it('of two state dicts without a usual name is ambiguous, with one it is not', async () => {
    const dict = dictPickle({ w: tensorPickle({ shape: [4] }) });
    expect((await refusal(torchFile(dictPickle({ student: dict, teacher: dict })))).message).toMatch(
      /found 'student' and 'teacher'/,
    );
    expect(
      await valuesIn(fileOf(torchFile(dictPickle({ teacher: dictPickle({ w: op.none }), model: dict }))), 'w'),
    ).toHaveLength(4);
  });
});

describe('tensors', () => {
  const refusedTensors: [string, TensorSpec[], RegExp][] = [
    [
      'larger than the storage',
      [{ shape: [5] }],
      /within the 4 elements of storage '0', found one of shape \[5\] with strides \[1\] that reaches 5/,
    ],
    ['beginning too late', [{ shape: [2], offset: 3 }], /reaches 5/],
    ['stepping too far', [{ shape: [2, 2], strides: [3, 1] }], /reaches 5/],
    ['of an astronomic size', [{ shape: [2 ** 40, 2 ** 40] }], /within the 4 elements/],
    ['repeating one element a billion times', [{ shape: [1e9], strides: [0] }], /a place of their own/],
    ['overlapping itself', [{ shape: [3, 2], strides: [1, 1] }], /a place of their own/],
    ['with a negative offset', [{ shape: [1], offset: -1 }], /offset in its storage/],
    ['with too few strides', [{ shape: [2, 2], strides: [1] }], /2 strides, one an axis, found 1/],
    ['of 65 axes', [{ shape: Array(65).fill(1) }], /at most 64 sizes/],
    [
      'of a storage that is not there',
      [{ shape: [4], key: '9' }],
      /16 bytes in the archive for storage '9'.*found none/,
    ],
    ['of a path', [{ shape: [4], key: '../data.pkl' }], /found none/],
    ['of another type than its bytes', [{ shape: [4], type: 'DoubleStorage' }], /32 bytes.*found 16/],
    ['of an unknown type', [{ shape: [4], type: 'ComplexFloatStorage' }], /'torch\.ComplexFloatStorage'/],
    ['of a storage that claims more', [{ shape: [4], storageSize: 2 ** 40 }], /bytes in the archive/],
    [
      'on the same bytes',
      [{ shape: [4] }, { shape: [4] }],
      /'1': expected it to begin at element 4.*overlaps '0'.*clone/,
    ],
    ['on some of the same bytes', [{ shape: [3] }, { shape: [2], offset: 2 }], /begin at element 3.*found 2/],
  ];
  it.each(refusedTensors)('refused: %s', async (_, specs, message) => {
    const body = dictPickle(Object.fromEntries(specs.map((spec, i) => [String(i), tensorPickle(spec)])));
    expect((await refusal(torchFile(body))).message).toMatch(message);
  });
  it('refused: a tensor of no storage, sizes that are no tuple', async () => {
    const rebuild = op.global('torch._utils', '_rebuild_tensor_v2');
    for (const args of [[op.none], [op.text('x'), op.int(0)], []]) {
      const body = dictPickle({ a: Buffer.concat([rebuild, op.mark, ...args, op.tuple, op.reduce]) });
      expect((await refusal(torchFile(body))).message).toMatch(/a storage for a tensor/);
    }
  });
  it('may share a storage without overlap', async () => {
    const body = dictPickle({ a: tensorPickle({ shape: [2] }), b: tensorPickle({ shape: [2], offset: 2 }) });
    expect(await valuesIn(fileOf(torchFile(body, { 0: floats(1, 2, 3, 4) })), 'b')).toEqual([3, 4]);
  });
});
