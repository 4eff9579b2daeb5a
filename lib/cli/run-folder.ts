// The folder of a training run: made before the training, so that a place that cannot be written to is found out at once.
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CheckpointError, ConfigError } from '../errors.js';
import { timeStamp } from './format.js';

/** The files of a run. */
export interface RunFolder {
  path: string;
  config: string;
  history: string;
  metrics: string;
  weights: string;
  checkpoints: string;
  tensorboard: string;
  /** The picture. */
  report: string;
  /** The page. */
  page: string;
}

/** The files that a run in this folder has. */
export function runFolder(path: string): RunFolder {
  return {
    path,
    config: join(path, 'config.json'),
    history: join(path, 'history.json'),
    metrics: join(path, 'metrics.jsonl'),
    weights: join(path, 'weights.safetensors'),
    checkpoints: join(path, 'checkpoints'),
    tensorboard: join(path, 'tensorboard'),
    report: join(path, 'report.svg'),
    page: join(path, 'report.html'),
  };
}

/** Makes the folder: `out`, or runs/<time>. Throws ConfigError where it cannot be written to or holds a run already. */
export function makeRunFolder(out: string | undefined, now = new Date()): RunFolder {
  const path = out ?? unusedFolder(join('runs', timeStamp(now)));
  const folder = runFolder(path);
  try {
    makeFolder(path);
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(
      `The output folder '${path}' cannot be written to: ${(cause as Error).message}.`,
      { path },
      { cause },
    );
  }
  const { path: _, ...files } = folder;
  const taken = Object.values(files).find((file) => existsSync(file));
  if (taken)
    throw new ConfigError(`The output folder holds a run already (${taken}): choose another --out, or remove it.`, {
      path,
    });
  return folder;
}

/** With those above it. One by one: `recursive` never ends where the system says that a folder's own parent is missing, as /proc does. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** Two runs may start in the same second. */
function unusedFolder(path: string): string {
  let candidate = path;
  for (let n = 2; existsSync(candidate); n++) candidate = `${path}-${n}`;
  return candidate;
}

/** Writes all of the file or nothing: under another name first, then renamed. Throws CheckpointError where it cannot be written. */
export function writeWhole(file: string, contents: string): void {
  const unfinished = `${file}.unfinished`;
  try {
    writeFileSync(unfinished, contents);
    renameSync(unfinished, file);
  } catch (cause) {
    rmSync(unfinished, { force: true });
    throw new CheckpointError(`${file}: cannot be written: ${(cause as Error).message}.`, { file }, { cause });
  }
}
