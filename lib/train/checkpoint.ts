// One checkpoint: a folder with weights, optimiser, averaged weights and state, which appears whole or not at all.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CheckpointError } from '../errors.js';
import { syncFolder } from '../interop/atomic-file.js';
import type { Block } from '../nn/block.js';
import type { Trainer } from '../optim/index.js';
import type { RandomState } from '../tensor/random.js';
import type { FitEpoch } from './fit-handlers.js';
import type { ModelAverage } from './model-average.js';

/** What a checkpoint tells besides tensors. Plain data. */
export interface FitState {
  /** Complete epochs. */
  epoch: number;
  /** Batches of the epoch under way that were used. */
  batch: number;
  /** Optimiser steps since the beginning. */
  step: number;
  /** The loader's epoch at the beginning of the run; null where the batches have no epochs. */
  loaderEpoch: number | null;
  /** Batches of an epoch; null where the iterable does not tell. */
  batches: number | null;
  /** Images in a batch; null where the iterable does not tell. */
  batchSize: number | null;
  /** Training images; null where the batches are no loader's, undefined in checkpoints of earlier versions. */
  images?: number | null;
  /** Where the loader's order comes from; null where the batches are no loader's. */
  loaderRandom: { seed: number; stream: number } | null;
  random: RandomState;
  /** Sums over the epoch under way. */
  totals: { images: number; lossSum: number; correct: number };
  history: FitEpoch[];
  /** Updates of the averaged weights. */
  averageUpdates: number;
  /** What handlers keep, by name. */
  handlers: Record<string, unknown>;
  /** Greater is better; null in the middle of an epoch. */
  score: number | null;
  config: unknown;
}

interface Manifest {
  format: 'residua-checkpoint';
  version: 1;
  state: FitState;
  /** SHA-256 of each file. */
  files: Record<string, string>;
}

/** What is written and restored. */
export interface Trained {
  net: Block;
  trainer: Trainer;
  average: ModelAverage | null;
}

const files = { weights: 'weights.safetensors', trainer: 'trainer.safetensors', average: 'average.safetensors' };
const manifestName = 'state.json';
/** Begins the names of folders that are being written or removed. */
export const temporaryPrefix = '.writing-';

/** Writes to a temporary name, syncs, renames. There must be no folder of this name yet. Throws CheckpointError. Nothing may train meanwhile. */
export async function writeCheckpoint(folder: string, trained: Trained, state: FitState): Promise<void> {
  const parent = dirname(folder);
  const temporary = join(parent, `${temporaryPrefix}${basename(folder)}-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(temporary, { recursive: true });
    await trained.net.saveParameters(join(temporary, files.weights));
    await trained.trainer.saveStates(join(temporary, files.trainer));
    await trained.average?.save(join(temporary, files.average));
    const names = [files.weights, files.trainer, ...(trained.average ? [files.average] : [])];
    const sums = await Promise.all(names.map(async (name) => [name, await sha256(join(temporary, name))]));
    const manifest: Manifest = { format: 'residua-checkpoint', version: 1, state, files: Object.fromEntries(sums) };
    await writeSynced(join(temporary, manifestName), JSON.stringify(manifest));
    await syncFolder(temporary);
    await rename(temporary, folder);
    await syncFolder(parent);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {}); // the folder may not be writable: that is the error
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(`${folder}: cannot be written: ${(cause as Error).message}`, { folder }, { cause });
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Piece by piece: a large net's files need not be in memory once more. */
async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** The file of the weights that a checkpoint was evaluated with: the averaged ones, where it has them. */
export function netFileIn(folder: string): string {
  const average = join(folder, files.average);
  return existsSync(average) ? average : join(folder, files.weights);
}

/** Checks every file of a checkpoint and returns its state. Throws CheckpointError with the file that is damaged. */
export async function readCheckpoint(folder: string): Promise<FitState> {
  const { state } = await verified(folder);
  return state;
}

async function verified(folder: string): Promise<Manifest> {
  const manifest = await readManifest(join(folder, manifestName));
  for (const [name, expected] of Object.entries(manifest.files)) {
    const file = join(folder, name);
    const found = await sha256(file).catch((cause: Error) => damaged(file, 'a readable file', cause.message));
    if (found !== expected) damaged(file, `SHA-256 ${expected}`, found);
  }
  return manifest;
}

async function readManifest(file: string): Promise<Manifest> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => damaged(file, 'a readable file', cause.message));
  let manifest: Partial<Manifest> | null = null;
  try {
    manifest = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    damaged(file, 'JSON', `${text.length} characters of something else`);
  }
  if (manifest?.format !== 'residua-checkpoint') damaged(file, "format 'residua-checkpoint'", String(manifest?.format));
  if (manifest.version !== 1) damaged(file, 'version 1', String(manifest.version));
  if (typeof manifest.state?.step !== 'number' || !manifest.files?.[files.weights] || !manifest.files[files.trainer])
    damaged(file, 'a state and the sums of its files', 'neither or one');
  return manifest as Manifest;
}

function damaged(file: string, expected: string, found: string): never {
  throw new CheckpointError(`${file}: expected ${expected}, found ${found}.`, { file, expected, found });
}

/** Sets weights, optimiser and averaged weights to a checkpoint's, and returns its state. Throws CheckpointError. */
export async function restoreCheckpoint(folder: string, { net, trainer, average }: Trained): Promise<FitState> {
  const { state, files: sums } = await verified(folder);
  const hasAverage = files.average in sums;
  if (hasAverage !== (average !== null)) {
    throw new CheckpointError(
      `${folder}: expected a checkpoint ${average ? 'with' : 'without'} averaged weights, as averageDecay says, found the contrary.`,
      { folder },
    );
  }
  await net.loadParameters(join(folder, files.weights));
  await trainer.loadStates(join(folder, files.trainer));
  await average?.load(join(folder, files.average), state.averageUpdates);
  return state;
}
