// A recipe in residua and in PyTorch, in turn: test accuracy against minutes, on Fashion-MNIST. Both start their clock when the data are
// loaded, and evaluate after each epoch; PyTorch gets the same config and the same learning rate at each step.
// Writes bench/results/recipe-<name>.json after each run, and recipe-<name>.svg beside it.
// npm run bench -- recipe [--recipe recipes/fashion-mnist.yaml] [--seeds 1,2,3] [--torch-seeds 1] [--accuracy 0.94] [--epochs N] [--out FILE.json]
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TrainConfig } from '../lib/config/index.js';
import { data } from '../lib/index.js';
import { picture } from '../lib/train/report/svg.js';
import { integers, main, parseOptions, positive } from './arguments.js';
import { type Line, linePlot, plotHeight, plotWidth } from './charts/lines.js';
import {
  benchFolder,
  type Outcome,
  pythonWithTorch,
  resultFile,
  runJson,
  runScript,
  tunedMalloc,
  writeResult,
  writeText,
} from './harness.js';

/** Seconds are from the first epoch's beginning, evaluations included; accuracy is of the test images. */
export interface RecipeRun {
  library: string;
  epochs: { epoch: number; seconds: number; accuracy: number }[];
  /** Of each step. */
  rates?: number[];
  config?: TrainConfig;
  normalization?: { mean: readonly number[]; std: readonly number[] };
  peakRssBytes?: number;
}

/** A run as the result file has it. */
export interface MeasuredRun {
  library: string;
  seed: number;
  /** Null: it was not reached. */
  minutesToAccuracy: number | null;
  minutes: number;
  finalAccuracy: number;
  curve: { minutes: number; accuracy: number }[];
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function measured({ library, epochs }: RecipeRun, seed: number, accuracy: number): MeasuredRun {
  const curve = epochs.map((epoch) => ({ minutes: round(epoch.seconds / 60, 2), accuracy: epoch.accuracy }));
  const last = curve.at(-1) as (typeof curve)[number];
  const reached = curve.find((point) => point.accuracy >= accuracy)?.minutes ?? null;
  return { library, seed, minutesToAccuracy: reached, minutes: last.minutes, finalAccuracy: last.accuracy, curve };
}

/** The same in PyTorch, at the learning rates that `own` had. */
async function runTorch(python: string, own: RecipeRun, seed: number): Promise<Outcome<RecipeRun>> {
  const file = join(tmpdir(), `recipe-${process.pid}.json`);
  const { mean = [0], std = [1] } = own.normalization ?? {};
  const folder = data.fashionMnistFolders().find((path) => existsSync(join(path, 'train-labels-idx1-ubyte.gz')));
  const threads = availableParallelism();
  writeFileSync(
    file,
    JSON.stringify({ config: own.config, rates: own.rates, data: folder, mean: mean[0], std: std[0], seed, threads }),
  );
  return runJson<RecipeRun>(python, [join(benchFolder, 'baselines', 'pytorch_recipe.py'), file], tunedMalloc);
}

/** The result of a run, or the end of the benchmark. */
function resultOf<T>(what: string, outcome: Outcome<T>): T {
  if ('failed' in outcome) throw new Error(`${what} failed: ${outcome.failed}`);
  return outcome.result;
}

function plot(runs: readonly MeasuredRun[], title: string): string {
  const lines = runs.map(({ library, seed, curve }): Line => {
    const points = curve.map(({ minutes, accuracy }) => [minutes, accuracy * 100] as const);
    return { name: `${library.split(' ')[0]} ${seed}`, points };
  });
  const longest = Math.ceil(Math.max(...runs.map(({ minutes }) => minutes)));
  const ticks = Array.from({ length: longest + 1 }, (_, minute) => minute).filter((minute) => minute % 2 === 0);
  const options = {
    title,
    xTitle: 'minutes',
    yTitle: 'test accuracy, %',
    logarithmic: false,
    ticks,
    range: [90, 95] as const,
    lines,
  };
  return `${picture({ width: plotWidth, height: plotHeight, title }, linePlot(options))}\n`;
}

await main(async () => {
  const values = parseOptions({
    recipe: { type: 'string', default: 'recipes/fashion-mnist.yaml' },
    seeds: { type: 'string', default: '1,2,3' },
    'torch-seeds': { type: 'string', default: '1' },
    accuracy: { type: 'string', default: '0.94' },
    epochs: { type: 'string', default: '0' },
    out: { type: 'string', default: '' },
  });
  const name = basename(values.recipe, '.yaml');
  const accuracy = positive('accuracy', values.accuracy);
  const out = values.out || resultFile(`recipe-${name}`);
  const runs: MeasuredRun[] = [];
  const keep = (run: RecipeRun, seed: number): void => {
    runs.push(measured(run, seed, accuracy));
    const { library, minutesToAccuracy, minutes, finalAccuracy } = runs.at(-1) as MeasuredRun;
    process.stdout.write(
      `${library}, seed ${seed}: ${accuracy} after ${minutesToAccuracy ?? '-'} minutes, at the end ${finalAccuracy} after ${minutes}\n`,
    );
    writeResult('', { recipe: values.recipe, accuracy, runs }, out);
    writeText(out.replace(/\.json$/, '.svg'), plot(runs, `${name}: test accuracy over time`));
  };
  const own = ['--recipe', values.recipe, '--epochs', values.epochs];
  let first: RecipeRun | undefined;
  for (const seed of integers('seeds', values.seeds)) {
    const run = resultOf('residua', runScript<RecipeRun>('recipe-run.ts', [...own, '--seed', String(seed)]));
    first ??= run;
    keep(run, seed);
  }
  const python = pythonWithTorch();
  if (!python) process.stderr.write('PyTorch is left out: no python3 (or RESIDUA_PYTHON) with torch.\n');
  if (python && first)
    for (const seed of integers('torch-seeds', values['torch-seeds']))
      keep(resultOf('PyTorch', await runTorch(python, first, seed)), seed);
});
