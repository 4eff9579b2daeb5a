// The learning rate of every step of a run, as metrics.jsonl has it, against a plain formula: each schedule, from the command line and from a file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { residua } from './run-cli.js';
import { tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-schedules-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [epochs, perEpoch, top] = [4, 8, 0.04]; // 32 images, 4 a batch
const all = epochs * perEpoch;
const cosine = (from: number, to: number, part: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
const rising = (n: number): number => top * (0.5 + (0.5 * n) / perEpoch); // one epoch of warm-up from half

/** Options, the same in a file, and the rate of step n, counted from 1. */
const schedules: [string[], object, (n: number) => number][] = [
  [['--schedule', 'constant'], { name: 'constant' }, () => top],
  [
    ['--schedule', 'step', '--decay-at', '1.5', '--decay-factor', '0.3'],
    { name: 'step', at: 1.5, factor: 0.3 },
    (n) => top * 0.3 ** Math.floor((n - 1) / 12),
  ],
  [
    ['--schedule', 'multi-step', '--decay-at', '1,3', '--decay-factor', '0.2', '--warmup', '1', '--warmup-from', '0.5'],
    { name: 'multi-step', at: [1, 3], factor: 0.2, warmup: 1, warmupFrom: 0.5 },
    (n) => (n < perEpoch ? rising(n) : top * (n <= 8 ? 1 : n <= 24 ? 0.2 : 0.04)),
  ],
  [
    ['--schedule', 'cosine', '--warmup', '1', '--warmup-from', '0.5', '--final-lr', '0.1'],
    { name: 'cosine', warmup: 1, warmupFrom: 0.5, final: 0.1 },
    (n) => (n < perEpoch ? rising(n) : cosine(top, 0.1 * top, (n - perEpoch) / (all - perEpoch))),
  ],
  [
    ['--schedule', 'polynomial', '--warmup', '0', '--power', '3', '--final-lr', '0.25'],
    { name: 'polynomial', warmup: 0, power: 3, final: 0.25 },
    (n) => top * (0.25 + 0.75 * (1 - n / all) ** 3),
  ],
  [
    ['--schedule', 'one-cycle', '--warmup', '1', '--warmup-from', '0.2', '--final-lr', '0.01'],
    { name: 'one-cycle', warmup: 1, warmupFrom: 0.2, final: 0.01 },
    (n) => (n <= 8 ? cosine(0.2 * top, top, (n - 1) / 7) : cosine(top, 0.01 * top, (n - 8) / (all - 8))),
  ],
];

test.each(schedules)('%j', async (options, schedule, rate) => {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ schedule }));
  const rest = tinyRun.slice(1);
  for (const how of [
    ['train', ...rest, ...options],
    ['train', file, ...rest],
  ]) {
    const out = mkdtempSync(join(folder, 'run-'));
    const more = ['--limit', '32', '--epochs', String(epochs), '--lr', String(top), '--out', out];
    expect(await residua([...how, ...more], { env: tinyEnv })).toMatchObject({ status: 0 });
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const rates = lines.filter(({ event }) => event === 'step').map(({ learningRate }) => learningRate as number);
    expect(rates).toEqual(Array.from({ length: all }, (_, i) => expect.closeTo(rate(i + 1), 12)));
  }
});
