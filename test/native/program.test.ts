// Programs at the border to native code: results, the arena's size, leaves that do not fit.
import { describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import type { NativeNode, NativeTensor } from '../../lib/native.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';

const node = (op: string, inputs: number[], attributes = {}, outputCount = 1): NativeNode => ({
  op,
  attributes,
  inputs,
  outputCount,
});

describe.each(testDevices)('a program on %s', (device) => {
  const backend = backendOf(device);
  const make = (...values: number[]): NativeTensor =>
    backend.fromHost(Float32Array.from(values), [values.length], 'float32');
  const read = (tensor: NativeTensor): number[] => Array.from(backend.read(tensor));

  test('gives the outputs that were asked for', () => {
    const leaves = [make(1, -2, 3), make(10, 20, 30)];
    const program = backend.compile([node('relu', [0]), node('add', [2, 1]), node('mul', [3, 3])], leaves, [4, 2]);
    expect(program.run(leaves).map(read)).toEqual([
      [121, 400, 1089],
      [1, 0, 3],
    ]);
    expect(program.run([make(0, 0, 0), make(1, 2, 3)]).map(read)).toEqual([
      [1, 4, 9],
      [0, 0, 0],
    ]);
  });

  test('values within it share memory once they are not needed any more', () => {
    const leaf = backend.fromHost(new Float32Array(4096).fill(2), [4096], 'float32');
    const bytes = 4096 * 4;
    const chain = Array.from({ length: 10 }, (_, i) => node('softmax', [i], { axis: 0 })); // each needs only the one before
    const program = backend.compile(chain, [leaf], [10]);
    expect(program.arenaBytes).toBe(2 * bytes);
    expect(program.lowerBoundBytes).toBe(2 * bytes);
    const all = backend.compile([...chain, node('add', [1, 10])], [leaf], [11]); // value 1 lives to the end
    expect(all.arenaBytes).toBe(3 * bytes);
  });

  test('a sum is written where an operand lay that nobody needs any more', () => {
    const values = Float32Array.from({ length: 70001 }, (_, i) => (i % 37) - 18); // beside the vector length
    const leaf = backend.fromHost(values, [values.length], 'float32');
    const bytes = Math.ceil((4 * values.length) / 256) * 256;
    const sums = Array.from({ length: 10 }, (_, i) => node('add', [i, i]));
    const program = backend.compile(sums, [leaf], [10]);
    expect(program.arenaBytes).toBe(bytes); // the last is handed out
    expect(read(program.run([leaf])[0] as NativeTensor)).toEqual(Array.from(values, (value) => 1024 * value));
    const gates = [node('relu', [0]), node('reluBackward', [0, 1]), node('sub', [1, 2]), node('mul', [3, 1])];
    const kept = backend.compile([...gates, node('add', [4, 0])], [leaf], [5]);
    const expected = Array.from(values, (value) => value); // (relu - gate) * relu + x, where relu = gate for x > 0
    expect(read(kept.run([leaf])[0] as NativeTensor)).toEqual(expected);
    expect(kept.arenaBytes).toBe(2 * bytes); // value 1 and what comes after it
    expect(read(leaf)).toEqual(Array.from(values));
  });

  test('no operand is overwritten that is handed out, read later or seen through a reshape', () => {
    const leaf = make(1, -2, 3);
    const later = backend.compile([node('mul', [0, 0]), node('add', [1, 0]), node('sub', [2, 1])], [leaf], [3]);
    expect(read(later.run([leaf])[0] as NativeTensor)).toEqual([1, -2, 3]);
    const handedOut = backend.compile([node('mul', [0, 0]), node('add', [1, 0]), node('relu', [2])], [leaf], [1, 3]);
    expect(handedOut.run([leaf]).map(read)).toEqual([
      [1, 4, 9],
      [2, 2, 12],
    ]);
    const shape = { shape: [3] };
    const seen = backend.compile(
      [node('mul', [0, 0]), node('reshape', [1], shape), node('add', [1, 0]), node('sub', [3, 2])],
      [leaf],
      [4],
    );
    expect(read(seen.run([leaf])[0] as NativeTensor)).toEqual([1, -2, 3]);
  });

  test('a reshape shares the storage of its input, also of a leaf and of an output', () => {
    const leaf = make(1, 2, 3, 4);
    const shape = { shape: [2, 2] };
    const program = backend.compile(
      [node('reshape', [0], shape), node('add', [1, 1]), node('reshape', [2], { shape: [4] })],
      [leaf],
      [1, 3],
    );
    const [first, second] = program.run([leaf]) as [NativeTensor, NativeTensor];
    expect([first.shape, read(first)]).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ]);
    expect([second.shape, read(second)]).toEqual([[4], [2, 4, 6, 8]]);
  });

  test('updates leaves in place', () => {
    const [to, from] = [make(0, 0), make(5, 6)];
    const program = backend.compile([node('add', [1, 1]), node('assign', [0, 2], {}, 0)], [to, from], []);
    expect(program.run([to, from])).toEqual([]);
    expect(read(to)).toEqual([10, 12]);
  });

  test('outputs of one run are not touched by the next', () => {
    const leaf = make(1);
    const program = backend.compile([node('add', [0, 0])], [leaf], [1]);
    const first = program.run([leaf])[0] as NativeTensor;
    program.run([make(7)]);
    expect(read(first)).toEqual([2]);
  });

  test('leaves of another number, shape or type are refused', () => {
    const leaf = make(1, 2);
    const program = backend.compile([node('relu', [0])], [leaf], [1]);
    expectResiduaError(
      errorOf(() => program.run([])),
      'CONFIG_ERROR',
      ['1', '0'],
    );
    expectResiduaError(
      errorOf(() => program.run([make(1)])),
      'SHAPE_ERROR',
      ['[2]', '[1]'],
    );
    const integers = backend.fromHost(Int32Array.of(1, 2), [2], 'int32');
    expectResiduaError(
      errorOf(() => program.run([integers])),
      'DTYPE_ERROR',
      ['float32', 'int32'],
    );
    program.dispose();
    expectResiduaError(
      errorOf(() => program.run([leaf])),
      'DISPOSED',
      ['program'],
    );
  });

  test.each([
    ['an input that does not exist', [node('relu', [1])], [1], 'CONFIG_ERROR'],
    ['an output that does not exist', [node('relu', [0])], [2], 'CONFIG_ERROR'],
    ['an op that does not exist', [node('reloo', [0])], [1], 'CONFIG_ERROR'],
    ['shapes that do not fit', [node('reshape', [0], { shape: [3] })], [1], 'SHAPE_ERROR'],
  ] as const)('%s is refused', (_, nodes, outputs, code) => {
    const leaf = make(1, 2);
    expectResiduaError(
      errorOf(() => backend.compile(nodes, [leaf], outputs)),
      code,
      [],
    );
  });
});
