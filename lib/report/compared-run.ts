// Reads runs from their folders, to be compared: those of today, those of earlier versions as far as they have the numbers, and those
// that were killed or go on still.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { RunRecord } from '../cli/run-record.js';
import { CheckpointError } from '../errors.js';
import { isFigure } from '../train/confusion.js';
import type { EpochRecord, FitEpoch } from '../train/index.js';
import { type Metrics, meanSpeed, readMetrics, speeds } from './metrics-file.js';

/** What is known of an epoch; null: not known, or not finite. Accuracies are from 0 to 1. */
export interface ComparedEpoch {
  epoch: number;
  loss: number | null;
  trainAccuracy: number | null;
  validationLoss: number | null;
  top1: number | null;
  top5: number | null;
}

/** A run as far as it is known; null: its files do not tell. */
export interface ComparedRun {
  folder: string;
  /** The folder's own name, or all of the path where two are alike. */
  name: string;
  model: string;
  data: string;
  /** How many classes its net tells apart. */
  classes: number | null;
  /** Whether it ended before its last epoch, or has not ended. */
  unfinished: boolean;
  plannedEpochs: number | null;
  epochs: ComparedEpoch[];
  seconds: number | null;
  imagesPerSecond: number | null;
  parameters: number | null;
  config: Record<string, unknown>;
  /** Whether the config tells only a part of what it would tell today. */
  hasPartialConfig: boolean;
}

/** history.json of any version. Earlier ones have a flat config and other epochs. */
type AnyRecord = Partial<Omit<RunRecord, 'config' | 'epochs'>> & {
  config?: Record<string, unknown>;
  epochs: (FitEpoch | EpochRecord)[];
};

/** Throws CheckpointError where a folder is not that of a run. */
export async function readRuns(folders: readonly string[]): Promise<ComparedRun[]> {
  const runs = await Promise.all(folders.map(readRun));
  const isAlone = (name: string) => runs.filter((run) => run.name === name).length === 1;
  return runs.map((run) => (isAlone(run.name) ? run : { ...run, name: run.folder }));
}

async function readRun(folder: string): Promise<ComparedRun> {
  const metrics = await readMetrics(join(folder, 'metrics.jsonl'));
  const record = (await readHistory(folder)) ?? (await recordSoFar(folder, metrics));
  const { interrupted, stopped } = record;
  const { config, hasPartialConfig } = configOf(record);
  const planned = typeof config.epochs === 'number' ? config.epochs : null;
  return {
    folder,
    name: basename(resolve(folder)),
    model: record.model ?? 'unknown',
    data: record.data ?? 'unknown',
    classes: record.net?.classes ?? null,
    unfinished: interrupted === true || (!stopped && planned !== null && record.epochs.length < planned),
    plannedEpochs: planned,
    epochs: record.epochs.map(comparedEpoch),
    seconds: record.seconds ?? null,
    imagesPerSecond: meanSpeed(speedsOf(record, metrics)),
    parameters: record.parameters ?? null,
    config,
    hasPartialConfig,
  };
}

/** A config of earlier versions has names without folders: those that mean what a key of today means are given its place. */
function configOf({ config = {}, fineTuning }: AnyRecord): Pick<ComparedRun, 'config' | 'hasPartialConfig'> {
  if (typeof config.optimizer === 'object') {
    return { config: fineTuning ? { ...config, fineTuning } : config, hasPartialConfig: false };
  }
  const { resize, learningRate, optimizer, epochs, batchSize, device, precision, seed, weights = null } = config;
  const known = { epochs, batchSize, device, precision, seed, weights };
  return {
    config: { ...known, data: { size: resize }, optimizer: { name: optimizer, learningRate } },
    hasPartialConfig: true,
  };
}

async function readHistory(folder: string): Promise<AnyRecord | undefined> {
  const file = join(folder, 'history.json');
  if (!existsSync(file)) return undefined;
  const found = (await readJson(file)) as AnyRecord | null;
  if (Array.isArray(found?.epochs)) return found;
  throw new CheckpointError(`${file}: expected the record of a run with its 'epochs', found ${excerpt(found)}.`, {
    file,
    expected: 'epochs',
    found,
  });
}

/** Of a run that has not come to write its history. */
async function recordSoFar(folder: string, { epochs }: Metrics): Promise<AnyRecord> {
  const file = join(folder, 'config.json');
  if (!existsSync(file))
    throw new CheckpointError(
      `${folder}: expected the folder of a run, found neither history.json nor config.json in it. 'residua train' writes such folders.`,
      { file: folder, expected: ['history.json', 'config.json'] },
    );
  const config = (await readJson(file)) as { model?: unknown; data?: { name?: unknown } } | null;
  if (typeof config?.model !== 'string' || typeof config.data?.name !== 'string')
    throw new CheckpointError(
      `${file}: expected the config of a run with 'model' and 'data', found ${excerpt(config)}.`,
      {
        file,
        found: config,
      },
    );
  return { model: config.model, data: config.data.name, config: { ...config }, epochs };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new CheckpointError(`${file}: expected JSON: ${(cause as Error).message}`, { file }, { cause });
  }
}

const excerpt = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80);

function comparedEpoch(epoch: FitEpoch | EpochRecord): ComparedEpoch {
  const { loss, trainAccuracy } = epoch;
  const validation = 'validation' in epoch && epoch.validation && isFigure(epoch.validation) ? epoch.validation : null;
  return {
    epoch: epoch.epoch,
    loss,
    trainAccuracy,
    validationLoss: validation?.loss ?? null,
    top1: 'testAccuracy' in epoch ? epoch.testAccuracy : (validation?.top1 ?? null),
    top5: validation?.top5 ?? null,
  };
}

/** Training images a second, by epoch. */
function speedsOf({ epochs }: AnyRecord, { steps }: Metrics): number[] {
  if (steps.length > 0) return [...speeds(steps).values()];
  return epochs.flatMap((epoch) => ('imagesPerSecond' in epoch ? [epoch.imagesPerSecond] : []));
}
