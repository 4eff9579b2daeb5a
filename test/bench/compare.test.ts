// What `compare` measures, and what it makes of the runs: options, figures, table, chart.
import { describe, expect, test } from 'vitest';
import { barChart } from '../../bench/charts/bars.js';
import { linePlot } from '../../bench/charts/lines.js';
import { type Case, compareOptions, keyOf, ofFamily } from '../../bench/compare/cases.js';
import { merged } from '../../bench/compare/results.js';
import { type Context, summarise } from '../../bench/compare/summary.js';
import { tableOf } from '../../bench/compare/table.js';
import type { Outcome, StepRun } from '../../bench/harness.js';

describe('options', () => {
  test('the usual cases are those of the table, in both precisions', () => {
    expect(compareOptions([]).cases.map(keyOf)).toEqual(
      [
        'r18@96 training 256',
        'r18@96 inference 256',
        'r18@96 inference 1',
        'r18@28 training 256',
        'resnet50@224 training 16',
      ].flatMap((name) => [`${name} float32 2`, `${name} bfloat16 2`]),
    );
  });

  test("the family's are both tasks of one net of each kind", () => {
    const { cases, rounds, peers } = compareOptions(['--precisions', 'bfloat16'], ofFamily);
    const found = cases.map(keyOf);
    expect(found).toHaveLength(44);
    expect(found).toContain('cifar-resnet1001@32 training 16 bfloat16 2');
    expect(found).toContain('resnet152@224 inference 16 bfloat16 2');
    expect(found).toContain('cifar-resnet110@32 training 128 bfloat16 2');
    expect([rounds, peers]).toEqual([1, ['eager']]);
  });

  test('models, tasks, batches, precisions and threads can be chosen', () => {
    const args = [
      '--models',
      'r18@28',
      '--tasks',
      'inference',
      '--batch',
      '1,8',
      '--precisions',
      'float32',
      '--threads',
      '1,2',
    ];
    expect(compareOptions(args).cases.map(keyOf)).toEqual([
      'r18@28 inference 1 float32 1',
      'r18@28 inference 1 float32 2',
      'r18@28 inference 8 float32 1',
      'r18@28 inference 8 float32 2',
    ]);
  });

  test.each([
    [['--sizes', '96'], /Unknown option '--sizes'/],
    [['--batch', '0'], /--batch to be an integer of at least 1, got '0'/],
    [['--batch', '1,,2'], /--batch to be an integer/],
    [['--tasks', 'test'], /--tasks to be a list of training, inference, got 'test'/],
    [['--models', 'r18'], /a model 'r18@SIZE'/],
    [['--models', 'r18@28', '--tasks', 'inference'], /name a batch/],
    [['--device', 'gpu'], /--device to be cpu or 'gpu\(N\)', got 'gpu'/],
    [['extra'], /extra/],
  ])('%j is refused', (args, message) => expect(() => compareOptions(args)).toThrow(message));
});

const each: Case = { model: 'r18@96', task: 'training', batch: 100, precision: 'float32', threads: 2 };
const context: Context = {
  date: '2026-01-01',
  commit: 'abc',
  machine: {},
  rounds: 2,
  steps: 3,
  gflopPerImage: 2,
  peakGflops: 400,
};
const run = (seconds: number[], gigabytes: number, more: Partial<StepRun> = {}): Outcome<StepRun> => ({
  result: { library: 'x', seconds, peakRssBytes: gigabytes * 1e9, loss: 1, ...more },
});
const runs = new Map<string, Outcome<StepRun>[]>([
  [
    'residua',
    [
      run([1, 1, 9], 1, { eventLoopDelayMs: 4, firstStepSeconds: 3 }),
      run([1, 1, 1], 1.2, { eventLoopDelayMs: 7.04, firstStepSeconds: 2 }),
    ],
  ],
  ['PyTorch eager', [run([2, 2], 2), run([2, 2], 2)]],
  ['PyTorch compiled', [run([4], 1)]],
  ['TensorFlow.js', [run([50], 3, { batch: 1 })]],
  ['TensorFlow.js <native>', [{ failed: 'its binary\nis not there' }]],
]);
const result = summarise(each, runs, context);

describe('figures', () => {
  test('come from the medians of all rounds and the worst memory', () => {
    const [ours, eager, , javaScript] = result.rows;
    expect(ours).toMatchObject({ imagesPerSecond: 100, ofEachRound: [100, 100], peakRssGB: 1.2, eventLoopDelayMs: 7 });
    expect(ours!.firstStepSeconds).toEqual([3, 2]);
    expect(ours!.shareOfPeak).toBe(0.5); // 100 images/s of 2 GFLOP by 400 GFLOP/s
    expect(eager!.imagesPerSecond).toBe(50);
    expect(javaScript).toMatchObject({ imagesPerSecond: 0.02, batch: 1 });
  });

  test('ratios are to the fastest PyTorch, whatever else ran', () => {
    expect(result.ratioToBestPyTorch).toBe(2);
    expect(result.memoryRatio).toBe(0.6);
    const alone = summarise(each, new Map([...runs].slice(0, 1)), context);
    expect([alone.ratioToBestPyTorch, alone.memoryRatio]).toEqual([null, null]);
  });

  test('who gave no result is named with the reason', () => {
    expect(result.absent).toEqual([{ name: 'TensorFlow.js <native>', reason: 'its binary\nis not there' }]);
  });

  test('a case that is measured again takes the place of the one before', () => {
    const other = { ...result, batch: 1 };
    const again = { ...result, date: '2026-02-02' };
    expect(merged([result, other], [again]).map(({ batch, date }) => [batch, date])).toEqual([
      [100, '2026-02-02'],
      [1, '2026-01-01'],
    ]);
  });
});

describe('pictures', () => {
  test('the table has a line for each', () => {
    const lines = tableOf(result).split('\n');
    expect(lines[0]).toBe('R18 at 96x96, training, batch 100, float32, 2 threads');
    expect(lines).toHaveLength(8);
    expect(lines[2]).toMatch(/residua +100 +50% +1\.20 GB +2 s +7 ms/);
    expect(lines[6]).toBe('  TensorFlow.js <native>: none, its binary');
    expect(lines[7]).toBe("  residua against PyTorch's best: 2x, in 0.6 of its memory");
  });

  test('bars are as long as the ratios say', () => {
    const svg = barChart('a & b', [result]);
    expect(svg).toContain('a &amp; b');
    expect(svg).toContain('100 images/s, 2.00x, 50% of peak');
    const widths = [...svg.matchAll(/<rect x="350" y="\d+" width="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(widths).toEqual([330, 165, 82.5, 1]); // 2, 1 and a half of PyTorch's best; never less than a pixel
  });

  test('the longest label fits beside the longest bar', () => {
    const fast = { ...result.rows[0]!, imagesPerSecond: 12_345, shareOfPeak: 1.29 };
    const svg = barChart('t', [{ ...result, rows: [fast, ...result.rows.slice(1)], ratioToBestPyTorch: 10.25 }]);
    const [, x, label] = /<text x="([\d.]+)"[^>]*>(12,345 [^<]+)</.exec(svg)!;
    expect(label).toBe('12,345 images/s, 10.25x, 129% of peak');
    const widest = 6.7; // pixels of a bold digit of 12 pixels; spaces and commas are half of it
    expect(Number(x) + label!.length * widest).toBeLessThan(960);
  });

  test('lines go through their points', () => {
    const lines = [
      {
        name: 'one',
        points: [
          [1, 2],
          [4, 4],
          [16, 1],
        ] as const,
      },
    ];
    const svg = linePlot({ title: 't', xTitle: 'x', yTitle: 'y', logarithmic: true, lines });
    const [first, middle, last] = /points="([^"]+)"/
      .exec(svg)![1]!
      .split(' ')
      .map((pair) => pair.split(',').map(Number));
    expect(middle![0]! - first![0]!).toBeCloseTo(last![0]! - middle![0]!, 1); // equal factors, equal steps
    expect(middle![1]).toBe(66); // the top of the plot
    expect(last![1]! - middle![1]!).toBeGreaterThan(first![1]! - middle![1]!);
  });
});
