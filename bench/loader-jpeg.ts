// Whether the loader keeps the cores training: JPEG files of 500x375 pixels that are decoded, cut to 224x224 and flipped, alone, training
// on images in memory alone, and both at a time; each in a process of its own, round by round. Writes bench/results/loader-jpeg.json.
// npm run bench -- loader-jpeg [--images 512] [--batch 32] [--model resnet18@224] [--workers 0,1,2] [--precisions float32,bfloat16]
//   [--threads 2] [--rounds 3] [--out FILE.json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, integer, main, parseOptions, words } from './arguments.js';
import { median, runScript, writeResult } from './harness.js';
import { writeJpegs } from './loader-jpeg/images.js';
import type { Measurement } from './loader-jpeg/measure.js';
import { modelOf } from './models.js';

interface Case {
  kind: 'decode' | 'train' | 'together';
  workers?: number;
  precision?: string;
}

interface Result extends Case {
  imagesPerSecond: number;
  /** One a round. */
  rounds: number[];
  /** Of `together`: its part of the speed of training alone. */
  ofTraining?: number;
  /** Of `together`: its part of what the cores could do if they did one after the other, decoding as fast as at best. */
  ofCores?: number;
}

/** Images a second of one case in a new process. */
function measured({ kind, workers, precision }: Case, args: readonly string[]): number {
  const own = [
    ...['--kind', kind],
    ...(workers === undefined ? [] : ['--workers', String(workers)]),
    ...(precision === undefined ? [] : ['--precision', precision]),
  ];
  const outcome = runScript<Measurement>('loader-jpeg/measure.ts', [...own, ...args]);
  if ('failed' in outcome) throw new Error(`${nameOf({ kind, workers, precision })} failed: ${outcome.failed}`);
  return outcome.result.images / outcome.result.seconds;
}

const nameOf = ({ kind, workers, precision }: Case): string =>
  [kind, precision, workers === undefined ? '' : `${workers} workers`].filter(Boolean).join(', ');

/** Decoding and training share the cores: at best an image costs what it costs in both. */
function withShares(result: Result, all: readonly Result[]): Result {
  if (result.kind !== 'together') return result;
  const training = all.find(({ kind, precision }) => kind === 'train' && precision === result.precision);
  const trained = training?.imagesPerSecond as number;
  const decoded = Math.max(...all.filter(({ kind }) => kind === 'decode').map((each) => each.imagesPerSecond));
  const atBest = 1 / (1 / trained + 1 / decoded);
  const share = (of: number): number => Number((result.imagesPerSecond / of).toFixed(3));
  return { ...result, ofTraining: share(trained), ofCores: share(atBest) };
}

const rounded = (value: number): number => Number(value.toFixed(1));

await main(async () => {
  const values = parseOptions({
    images: { type: 'string', default: '512' },
    batch: { type: 'string', default: '32' },
    model: { type: 'string', default: 'resnet18@224' },
    workers: { type: 'string', default: '0,1,2' },
    precisions: { type: 'string', default: 'float32,bfloat16' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    out: { type: 'string', default: '' },
  });
  const [images, batch, rounds] = [
    integer('images', values.images),
    integer('batch', values.batch),
    integer('rounds', values.rounds),
  ];
  if (images < 3 * batch)
    throw new ArgumentError(`Expected --images to be at least three batches, ${3 * batch}, got ${images}.`);
  const { title } = modelOf(values.model);
  const workers = values.workers.split(',').map((text) => integer('workers', text, 0));
  const precisions = words('precisions', values.precisions, ['float32', 'bfloat16']);
  const cases: Case[] = [
    ...workers.map((count): Case => ({ kind: 'decode', workers: count })),
    ...precisions.map((precision): Case => ({ kind: 'train', precision })),
    ...precisions.flatMap((precision) =>
      workers.map((count): Case => ({ kind: 'together', workers: count, precision })),
    ),
  ];
  const folder = mkdtempSync(join(tmpdir(), 'residua-jpegs-'));
  try {
    const fileBytes = Math.round(await writeJpegs(folder, images));
    const common = ['--folder', folder, '--images', String(images), '--batch', values.batch, '--model', values.model];
    const args = [...common, '--threads', String(integer('threads', values.threads))];
    const speeds = cases.map((): number[] => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, each] of cases.entries()) {
        const speed = measured(each, args);
        speeds[i]!.push(rounded(speed));
        process.stdout.write(`${nameOf(each)}: ${rounded(speed)} images/s\n`);
      }
    const results = cases.map((each, i) => ({ ...each, imagesPerSecond: median(speeds[i]!), rounds: speeds[i]! }));
    const shown = results.map((result) => withShares(result, results));
    writeResult(
      'loader-jpeg',
      { images, fileBytes, batch, net: title, threads: values.threads, results: shown },
      values.out,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
