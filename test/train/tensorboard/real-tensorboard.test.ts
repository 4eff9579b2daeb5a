// Event files as the real TensorBoard reads them, where RESIDUA_TENSORBOARD_PYTHON names a Python that has it.
import { spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TensorBoardLog } from '../../../lib/index.js';
import { EventWriter } from '../../../lib/train/tensorboard/event-writer.js';
import { readEvents } from './event-file.js';
import { loggedRun } from './logged-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residua-tensorboard-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const python = process.env.RESIDUA_TENSORBOARD_PYTHON;
const script = fileURLToPath(new URL('../../../scripts/fixtures/tensorboard_read.py', import.meta.url));

interface Read {
  scalars: Record<string, [step: number, value: number][]>;
  histograms: Record<string, [step: number, histogram: { num: number; sum: number; bucket: number[] }][]>;
  images: Record<string, [step: number, width: number, height: number, png: string][]>;
  texts: Record<string, [step: number, text: string][]>;
  graph: [name: string, op: string, inputs: string[]][] | null;
  shown: Record<string, number[]>;
}

/** What TensorBoard reads of the folder. */
function readByTensorBoard(): Read {
  const { status, stdout, stderr } = spawnSync(python as string, [script, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${python} ${script}: ${stderr}`);
  return JSON.parse(stdout) as Read;
}

const reason = python ? '' : ' (skipped: RESIDUA_TENSORBOARD_PYTHON names no Python with tensorboard)';
describe.skipIf(!python)(`the real TensorBoard${reason}`, () => {
  test('reads all that was written', async () => {
    await loggedRun(folder, { checkpoint: { folder: join(folder, '.checkpoints'), config: { a: 1 } } });
    const name = (await readdir(folder)).find((file) => file.startsWith('events')) as string;
    const events = readEvents(join(folder, name)).filter(({ tag }) => tag);
    const read = readByTensorBoard();
    const { scalars, histograms, images, texts } = read;
    expect(Object.keys({ ...scalars, ...histograms, ...images, ...texts }).sort()).toEqual(
      [...new Set(events.map(({ tag }) => tag as string))].sort(),
    );
    for (const [tag, points] of Object.entries(scalars))
      expect(points, tag).toEqual(
        events.filter((event) => event.tag === tag).map(({ step, scalar }) => [step, scalar]),
      );
    for (const { tag = '', step, histogram, image } of events) {
      const found = histograms[tag]?.find(([at]) => at === step)?.[1];
      if (histogram) expect(found, tag).toMatchObject({ sum: histogram.sum, bucket: histogram.counts });
      const picture = image && [step, image.width, image.height, Buffer.from(image.png).toString('base64')];
      if (picture) expect(images[tag]).toContainEqual(picture);
    }
    expect(texts.config?.[0]?.[1]).toContain('"a": 1');
    expect(read.shown['weights/0.weight']).toEqual([7, 14]);
    const graph = new Map(read.graph?.map(([name, op, inputs]) => [name, { op, inputs }]));
    expect(graph.get('input')).toEqual({ op: 'Placeholder', inputs: [] });
    expect(graph.get('0/weight')).toEqual({ op: 'Parameter', inputs: [] });
    expect(graph.get('0/conv2d')?.inputs.slice(0, 2)).toEqual(['input', '0/weight']);
    expect(graph.get('1/batchNorm')?.inputs).toContain('0/conv2d');
    for (const [, { inputs }] of graph)
      for (const name of inputs) expect(graph.has(name.split(':')[0] as string)).toBe(true);
  });

  test('hides what a killed run did after the step that the resumed one goes on from', async () => {
    const checkpoint = { folder: join(folder, '.checkpoints'), everySteps: 5 };
    await loggedRun(folder, { checkpoint, stopAfter: 13 });
    const before = readByTensorBoard();
    expect(before.scalars['loss/train']?.map(([step]) => step)).toEqual([1, 2, 4, 6, 8, 10, 12]);
    const [first] = (await readdir(folder)).filter((file) => file.startsWith('events'));
    await appendFile(join(folder, first as string), Buffer.alloc(9, 1)); // the kill cut a record
    await loggedRun(folder, { checkpoint, resume: true, handlers: [new TensorBoardLog(folder, { everySteps: 7 })] });
    const { scalars, shown } = readByTensorBoard();
    const expected = [1, 2, 4, 6, 8, 10, 11, 14]; // 12 of the killed run is hidden: the resumed one began after 10
    expect(scalars['loss/train']?.map(([step]) => step)).toEqual(expected);
    expect(shown['loss/train']).toEqual(expected);
    expect(shown['images/train']).toEqual([0]);
    expect(shown['accuracy/train']).toEqual([7, 14]);
  });

  test.each([
    ['zeros at its end', 4096],
    ['zeros within its last record', 20],
  ])('reads a file up to what a crash of the machine left: %s', async (_, zeros) => {
    const writer = await EventWriter.open(folder);
    for (const step of [0, 1, 2]) writer.scalar('loss/train', 9, step);
    await writer.sync();
    if (zeros === 20) await truncate(writer.file, (await stat(writer.file)).size - 8);
    await appendFile(writer.file, Buffer.alloc(zeros));
    await writeFile(`${(await EventWriter.open(folder, { firstStep: 3 })).file}`, ''); // all of it is lost
    const last = await EventWriter.open(folder, { firstStep: 3 });
    last.scalar('loss/train', 1, 3);
    await last.flush();
    const kept = zeros === 20 ? [0, 1, 3] : [0, 1, 2, 3];
    expect(readByTensorBoard().scalars['loss/train']?.map(([step]) => step)).toEqual(kept);
  });

  test('shows nothing of what lay in the folder before a run from the beginning', async () => {
    const old = await EventWriter.open(folder);
    for (const step of [0, 3, 20]) old.scalar('loss/train', 9, step);
    await old.flush();
    await loggedRun(folder, { epochs: 1 });
    expect(readByTensorBoard().shown['loss/train']).toEqual([1, 2, 4, 6]);
  });
});
