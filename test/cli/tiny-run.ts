// A run of seconds for tests of the command line: a net of one block on made-up images.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every convolution is computed directly, so that bits are equal. */
export const tinyRun: readonly string[] = [
  ...['train', '--no-tune', '--no-tensorboard', '--data', 'synthetic', '--size', '8', '--model', 'resnet'],
  ...['--model-option', 'stem=cifar', '--model-option', 'blocks=1', '--model-option', 'widths=8'],
  ...['--limit', '128', '--batch-size', '4', '--lr', '0.05', '--epochs', '2'],
];

/** One thread: two of them would wait for each other most of the time. */
export const tinyEnv = { RESIDUA_THREADS: '1' };

/** The steps that metrics.jsonl tells of. */
export function stepsIn(run: string): number {
  const file = join(run, 'metrics.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('"event":"step"').length - 1 : 0;
}

/** Resolves when a run has made so many steps in all. */
export async function stepsMade(run: string, count: number): Promise<void> {
  while (stepsIn(run) < count) await sleep(2);
}
