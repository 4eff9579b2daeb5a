// The record of a net in history.json: with the options of its model, checked before the net is built.
import { describe, expect, test } from 'vitest';
import { netOf } from '../../lib/cli/build-net.js';
import { type NetRecord, netRecordIn } from '../../lib/cli/net-record.js';
import { CheckpointError, type models } from '../../lib/index.js';

const record: NetRecord = {
  model: 'resnet',
  options: { stem: 'cifar', blocks: [1, 2], widths: [8, 16] },
  classes: 3,
  inputShape: [1, 28, 28],
  resize: 28,
  classNames: [],
};

test('the options make the net; classes and channels are those of the record', () => {
  const net = netOf({ ...record, options: { ...record.options, classes: 7, inChannels: 3 } }) as models.ResNet;
  expect(net.architecture).toMatchObject({ blocks: [1, 2], widths: [8, 16], stem: 'cifar', classes: 3, inChannels: 1 });
});

test('a record without options is one of earlier versions', () => {
  const earlier = {
    model: 'resnet18',
    stem: 'cifar',
    classes: 10,
    inputShape: [3, 32, 32],
    resize: 32,
    classNames: [],
  };
  expect(netRecordIn('history.json', { config: { resize: 32 }, net: earlier, epochs: [] })).toEqual(earlier);
});

describe('refused', () => {
  test.each([
    ['a list', []],
    ['unknown names', { ...record.options, depth: 18 }],
    ['values of another kind', { ...record.options, widths: 'wide' }],
    ['values that do not fit together', { blocks: [1, 2], widths: [8] }],
  ])('%s', (_, options) => {
    const damaged = { net: { ...record, options } };
    expect(() => netRecordIn('a/history.json', damaged)).toThrow(CheckpointError);
    expect(() => netRecordIn('a/history.json', damaged)).toThrow(/^a\/history\.json: expected /);
  });
});
