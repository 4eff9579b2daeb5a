// Finds and loads a trained net for the commands that use one: from the folder of a run, or from a file of weights and a name.
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Device } from '../device.js';
import { CheckpointError, ConfigError } from '../errors.js';
import { loadWeights } from '../interop/index.js';
import type { Block } from '../nn/index.js';
import { netOf } from './build-net.js';
import { recordOfWeights, type WeightsOptions } from './given-weights.js';
import { type NetRecord, netRecordIn } from './net-record.js';
import { runFolder } from './run-folder.js';

/** A net with its weights, and what it takes. */
export interface SavedNet {
  net: Block;
  record: NetRecord;
}

export interface SavedNetOptions extends WeightsOptions {
  /** The name of the net that a file of weights is of. A run's own record tells it otherwise. */
  model?: string;
  /** A file with a class name in each line, over those of the record. */
  classes?: string;
}

/**
 * `path`: the folder of a run or the weights in it, or any file of weights with `model`. Throws CheckpointError (files) and ConfigError
 * (options that do not fit).
 */
export async function openSavedNet(path: string, options: SavedNetOptions, device: Device): Promise<SavedNet> {
  const { folder, weights } = await locate(path);
  const found = await recordFor(folder, weights, options);
  checkHasWeights(path, weights);
  const record = options.classes === undefined ? found : await withClassNames(found, options.classes);
  const net = netOf(record);
  net.initialize({ device });
  await loadWeights(net, weights);
  return { net, record };
}

/** The file of weights, and the folder in which its run's record may lie. */
async function locate(path: string): Promise<{ folder: string; weights: string }> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    return isFolder ? { folder: path, weights: runFolder(path).weights } : { folder: dirname(path), weights: path };
  } catch (cause) {
    const message = `${path}: expected the folder of a run or a file of weights: ${(cause as Error).message}`;
    throw new CheckpointError(message, { file: path }, { cause });
  }
}

async function recordFor(folder: string, weights: string, options: SavedNetOptions): Promise<NetRecord> {
  const { model, size, mean, std } = options;
  if (model !== undefined) return recordOfWeights(weights, model, options);
  const file = runFolder(folder).history;
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    const message = `${weights}: expected --model with the name of the net, for there is no record of a run (${cause.message}).`;
    throw new ConfigError(message, { argument: '--model', file }, { cause });
  });
  if (size !== undefined || mean !== undefined || std !== undefined)
    throw new ConfigError(`--size, --mean and --std go with --model: ${file} tells them for the net of a run.`, {
      file,
    });
  return netRecordIn(file, parse(file, text));
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`${file}: expected JSON: ${(cause as Error).message}`, { file }, { cause });
  }
}

/** A run that is under way, or that was killed, has checkpoints alone. */
function checkHasWeights(path: string, weights: string): void {
  if (path === weights || existsSync(weights)) return;
  throw new CheckpointError(
    `${path}: expected ${basename(weights)}, which a run writes when it ends or is interrupted, found none: it goes on still, or it was killed or failed ('residua train --resume' goes on with it then).`,
    { file: weights },
  );
}

/** The record with the names in the lines of a file. */
async function withClassNames(record: NetRecord, file: string): Promise<NetRecord> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ConfigError(`The class names in ${file} cannot be read: ${cause.message}`, { file }, { cause });
  });
  const classNames = text.trimEnd().split(/\r?\n/);
  if (classNames.length !== record.classes)
    throw new ConfigError(
      `${file}: expected ${record.classes} class names, one a line, for the classes of ${record.model}, found ${classNames.length}.`,
      { file, expected: record.classes, found: classNames.length },
    );
  return { ...record, classNames };
}
