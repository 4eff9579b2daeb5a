// An op that comes again in the same place of a recording is not inferred again; any other is.
import { expect, test } from 'vitest';
import { RecordedBefore } from '../../lib/graph/recorded-before.js';
import { autograd, cpu, nn, ops, setDevice, tensor, uniform } from '../../lib/index.js';

interface Op {
  op: string;
  attributes: Record<string, number | readonly number[]>;
  inputs: readonly number[]; // 0: the leaf, -1, -2, ...: what the first op makes, the second, ...
}
const relu: Op = { op: 'relu', attributes: {}, inputs: [0] };
const sum: Op = { op: 'sum', attributes: { axes: [0, 1] }, inputs: [-1] };
const scale: Op = { op: 'scale', attributes: { by: 2 }, inputs: [-2] };

/** Records these ops, which read a leaf of this shape and type; the ones that were inferred, and the recording's text. */
function recorded(before: RecordedBefore, ops: readonly Op[], leaf: string): { asked: string[]; text: string } {
  const asked: string[] = [];
  before.leaf(leaf);
  for (const { op, attributes, inputs } of ops) {
    const { outputs } = before.next(op, attributes, inputs, () => {
      asked.push(op);
      return [{ shape: [op.length], dtype: 'float32' }];
    });
    expect(outputs).toEqual([{ shape: [op.length], dtype: 'float32' }]);
  }
  const { ops: noted, text } = before.end();
  expect(noted.map(({ op }) => op)).toEqual(ops.map(({ op }) => op));
  return { asked, text };
}

const inferred = (before: RecordedBefore, ops: readonly Op[], leaf = 'float32 [2,3]'): string[] =>
  recorded(before, ops, leaf).asked;

test('what comes again is asked for once', () => {
  const before = new RecordedBefore();
  expect(inferred(before, [relu, sum, scale])).toEqual(['relu', 'sum', 'scale']);
  expect(inferred(before, [relu, sum, scale])).toEqual([]);
});

test.each<[string, Op]>([
  ['op', { ...sum, op: 'mean' }],
  ['input', { ...sum, inputs: [-2] }],
  ['input, a leaf,', { ...sum, inputs: [0] }],
  ['number of inputs', { ...sum, inputs: [-1, -1] }],
  ['attribute', { ...sum, attributes: { axes: [0, 2] } }],
  ['number of axes', { ...sum, attributes: { axes: [0] } }],
  ['attribute more', { ...sum, attributes: { axes: [0, 1], keepDims: 1 } }],
])('from another %s on all are asked for, and it is another recording', (_, other) => {
  const before = new RecordedBefore();
  const { text } = recorded(before, [relu, sum, scale], 'float32 [2,3]');
  const changed = recorded(before, [relu, other, scale], 'float32 [2,3]');
  expect(changed.asked).toEqual([other.op, 'scale']);
  expect(changed.text).not.toBe(text);
});

test('a leaf of another shape or type makes another recording', () => {
  const before = new RecordedBefore();
  const texts = ['float32 [2,3]', 'float32 [3,2]', 'bfloat16 [2,3]'].map((leaf) => recorded(before, [relu, sum], leaf));
  expect(texts.map(({ asked }) => asked)).toEqual([
    ['relu', 'sum'],
    ['relu', 'sum'],
    ['relu', 'sum'],
  ]);
  expect(new Set(texts.map(({ text }) => text)).size).toBe(3);
});

test('a recording that goes on, or ends before, is another one', () => {
  const before = new RecordedBefore();
  const { text } = recorded(before, [relu, sum], 'float32 [2,3]');
  const longer = recorded(before, [relu, sum, scale], 'float32 [2,3]');
  expect(longer.asked).toEqual(['scale']);
  expect(recorded(before, [relu, sum], 'float32 [2,3]')).toEqual({ asked: [], text });
  expect(longer.text).not.toBe(text);
});

test('recordings that begin otherwise are kept beside each other', () => {
  const before = new RecordedBefore();
  inferred(before, [relu, sum]);
  inferred(before, [sum, scale]);
  expect(inferred(before, [relu, sum, scale])).toEqual(['scale']);
  expect(inferred(before, [sum, scale])).toEqual([]);
});

test('a wrong shape is refused after any number of right ones', async () => {
  setDevice(cpu());
  const net = new nn.Sequential().add(new nn.Dense(3), new nn.Activation('relu'), new nn.Dense(2, { inUnits: 3 }));
  net.initialize();
  net.hybridize();
  const other = tensor([1, 2, 3, 4, 5]);
  const step = (y: Parameters<typeof ops.add>[1]) =>
    autograd.record(() => ops.add(net.forward(uniform([4, 5])), y)).data();
  for (let i = 0; i < 3; i++) expect(await step(1)).toHaveLength(8);
  expect(() => step(other)).toThrow(expect.objectContaining({ code: 'SHAPE_ERROR' }));
  expect(await step(2)).toHaveLength(8);
});
