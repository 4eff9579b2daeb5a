// An op that comes again in the same place of a recording is not inferred again; any other is.
import { expect, test } from 'vitest';
import { RecordedBefore } from '../../lib/graph/recorded-before.js';
import { autograd, cpu, nn, ops, setDevice, tensor, uniform } from '../../lib/index.js';

interface Op {
  op: string;
  attributes: Record<string, number | readonly number[]>;
  inputs: string;
}
const relu: Op = { op: 'relu', attributes: {}, inputs: 'l0 float32 [2,3]' };
const sum: Op = { op: 'sum', attributes: { axes: [0, 1] }, inputs: 'n0.0' };
const scale: Op = { op: 'scale', attributes: { by: 2 }, inputs: 'n1.0' };

/** Records these ops; the ones that were inferred. */
function inferred(before: RecordedBefore, recording: readonly Op[]): string[] {
  const asked: string[] = [];
  for (const { op, attributes, inputs } of recording) {
    const { outputs } = before.next(op, attributes, inputs, () => {
      asked.push(op);
      return [{ shape: [op.length], dtype: 'float32' }];
    });
    expect(outputs).toEqual([{ shape: [op.length], dtype: 'float32' }]);
  }
  before.end();
  return asked;
}

test('the first op of each recording is asked for, the others once', () => {
  const before = new RecordedBefore();
  expect(inferred(before, [relu, sum, scale])).toEqual(['relu', 'sum', 'scale']);
  expect(inferred(before, [relu, sum, scale])).toEqual(['relu']);
});

test.each<[string, Op]>([
  ['op', { ...sum, op: 'mean' }],
  ['input', { ...sum, inputs: 'n0.1' }],
  ['attribute', { ...sum, attributes: { axes: [0, 2] } }],
  ['number of axes', { ...sum, attributes: { axes: [0] } }],
  ['attribute more', { ...sum, attributes: { axes: [0, 1], keepDims: 1 } }],
])('from another %s on all are asked for', (_, other) => {
  const before = new RecordedBefore();
  inferred(before, [relu, sum, scale]);
  expect(inferred(before, [relu, other, scale])).toEqual(['relu', other.op, 'scale']);
});

test('recordings that begin otherwise are kept beside each other; a longer one goes on', () => {
  const before = new RecordedBefore();
  inferred(before, [relu, sum]);
  inferred(before, [sum, scale]);
  expect(inferred(before, [relu, sum, scale])).toEqual(['relu', 'scale']);
  expect(inferred(before, [sum, scale])).toEqual(['sum']);
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
