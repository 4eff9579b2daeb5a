// Event files: check sums, every kind of event read back, names in order, a cut last record.
import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CheckpointError } from '../../../lib/index.js';
import { EventWriter } from '../../../lib/train/tensorboard/event-writer.js';
import { histogramOf } from '../../../lib/train/tensorboard/histogram.js';
import { crc32c, frame, maskedCrc32c } from '../../../lib/train/tensorboard/records.js';
import { rejection } from '../../data/idx-files.js';
import { plainCrc32c, readEvents, readRecords } from './event-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residua-events-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('records', () => {
  // RFC 3720, appendix B.4; the last is the usual check value of CRC-32C.
  const known: [string, Uint8Array, number][] = [
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(), 0],
  ];
  test.each(known)('CRC-32C of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
    expect(plainCrc32c(bytes)).toBe(expected);
  });

  test('the mask turns and adds, in 32 bits', () => {
    // leveldb, util/crc32c.h: ((crc >> 15) | (crc << 17)) + 0xa282ead8
    expect(maskedCrc32c(new Uint8Array())).toBe(0xa282ead8);
    expect(maskedCrc32c(Buffer.from('123456789'))).toBe(0xc78ab0e5);
  });

  test('a frame has length, data and their checks', () => {
    const { records, rest } = readRecords(Buffer.concat([frame(Buffer.from('abc')), frame(Buffer.alloc(300, 7))]));
    expect(records.map((record) => record.length)).toEqual([3, 300]);
    expect(records[0]?.toString()).toBe('abc');
    expect(rest).toBe(0);
  });
});

describe('EventWriter', () => {
  test('writes every kind of event', async () => {
    const writer = await EventWriter.open(folder, { firstStep: 3 });
    const png = Buffer.from('not looked at');
    writer.scalar('loss/train', 0.1, 12);
    writer.scalar('loss/train', Number.NaN, 2 ** 40);
    writer.image('images', { png, width: 30, height: 20 }, 4);
    writer.histogram('weights', [1, 2, 3, Number.NaN], 5);
    writer.histogram('nothing', [Number.NaN, Infinity], 5);
    writer.text('config', '**ä**', 0);
    writer.graph(Buffer.from('graph'));
    const before = await readFile(writer.file);
    expect(readRecords(before).records).toHaveLength(2); // the rest waits for the flush
    await writer.flush();
    const [version, session, ...events] = readEvents(writer.file);
    expect(version).toMatchObject({ fileVersion: 'brain.Event:2', step: 0 });
    expect(Math.abs((version?.wallTime as number) - Date.now() / 1000)).toBeLessThan(60);
    expect(session).toMatchObject({ session: 1, step: 3 });
    expect(events).toHaveLength(6);
    expect(events[0]).toMatchObject({ tag: 'loss/train', step: 12, scalar: Math.fround(0.1) });
    expect(events[1]).toMatchObject({ tag: 'loss/train', step: 2 ** 40, scalar: Number.NaN });
    expect(events[2]).toMatchObject({ tag: 'images', step: 4, image: { width: 30, height: 20 } });
    expect(Buffer.from(events[2]?.image?.png as Uint8Array)).toEqual(png);
    expect(events[3]).toMatchObject({ tag: 'weights', step: 5, histogram: { min: 1, max: 3, num: 3, sum: 6 } });
    expect(events[4]).toMatchObject({ tag: 'config', text: '**ä**', plugin: 'text' });
    expect(Buffer.from(events[5]?.graph as Uint8Array).toString()).toBe('graph');
  });

  test('a later file has a later name, within the same second too', async () => {
    const ahead = Math.floor(Date.now() / 1000) + 1000; // of a machine whose clock is ahead
    await writeFile(join(folder, `events.out.tfevents.${ahead}.elsewhere.1`), '');
    await writeFile(join(folder, 'notes.txt'), '');
    const files = [await EventWriter.open(folder), await EventWriter.open(folder)].map(({ file }) => file);
    const names = (await readdir(folder)).filter((name) => name.startsWith('events')).sort();
    expect(names.map((name) => Number(name.split('.')[3]))).toEqual([ahead, ahead + 1, ahead + 2]);
    expect(names.slice(1).map((name) => join(folder, name))).toEqual(files);
  });

  test('of a file that was cut all whole records are read', async () => {
    const writer = await EventWriter.open(folder);
    for (let step = 0; step < 5; step++) writer.scalar('loss', step, step);
    await writer.flush();
    const { length } = await readFile(writer.file);
    await truncate(writer.file, length - 7);
    expect(readEvents(writer.file).map(({ scalar }) => scalar)).toEqual([undefined, undefined, 0, 1, 2, 3]);
  });

  test('sync waits until all that was written is on the disk', async () => {
    const writer = await EventWriter.open(folder);
    writer.scalar('loss', 1, 1);
    const handle = await open(writer.file);
    await handle.close();
    const sizes: number[] = [];
    const datasync = vi.spyOn(Object.getPrototypeOf(handle), 'datasync').mockImplementation(async () => {
      sizes.push((await readFile(writer.file)).length);
    });
    try {
      await writer.sync();
      expect(sizes).toEqual([(await readFile(writer.file)).length]);
      expect(readEvents(writer.file).at(-1)).toMatchObject({ tag: 'loss' });
    } finally {
      datasync.mockRestore();
    }
  });

  test('a folder that cannot be written is a CheckpointError with its path', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const error = await rejection(EventWriter.open(join(file, 'events')));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toContain(join(file, 'events'));
  });
});

describe('histogramOf', () => {
  test('counts as plain comparisons do', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * i) ** 3);
    const histogram = histogramOf(values);
    const { bucketLimit, bucket, min, max } = histogram as NonNullable<typeof histogram>;
    expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
    expect(bucketLimit.at(-1)).toBe(max);
    const plain = bucketLimit.map((limit, i) => {
      const [from, isLast] = [i === 0 ? min : (bucketLimit[i - 1] as number), i === bucketLimit.length - 1];
      return [...values].filter((value) => value >= from && (isLast || value < limit)).length;
    });
    expect(bucket).toEqual(plain);
    expect(histogram?.sum).toBeCloseTo(
      values.reduce((sum, value) => sum + value, 0),
      9,
    );
    expect(histogram?.sumSquares).toBeCloseTo(
      values.reduce((sum, value) => sum + value * value, 0),
      9,
    );
  });

  test('equal values are one bucket; of many values some, evenly spaced', () => {
    expect(histogramOf([2, 2, 2])).toMatchObject({ min: 2, max: 2, num: 3, bucketLimit: [2], bucket: [3] });
    expect(histogramOf([1, 100, 2, 100, 3, 100], 3)).toMatchObject({ min: 1, max: 3, num: 3, sum: 6 });
    expect(histogramOf([])).toBeNull();
  });
});
