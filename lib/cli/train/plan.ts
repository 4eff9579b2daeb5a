// What a run is to be: from the command line and a config file, or from the folder of the run that goes on.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  chooseDevice,
  choosePrecision,
  type PartialTrainConfig,
  readConfigFile,
  resolveConfig,
  type SettledConfig,
  type TrainConfig,
} from '../../config/index.js';
import type { Device } from '../../device.js';
import { CheckpointError, ConfigError } from '../../errors.js';
import type { FineTuningOptions } from '../fine-tuning.js';
import { type RunFolder, runFolder } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';
import { configFromOptions } from './config-from-options.js';
import { fineTuningOf } from './fine-tuning-record.js';
import type { TrainOptions } from './options.js';
import { recipeFile } from './recipe-file.js';

export interface RunPlan {
  config: SettledConfig;
  device: Device;
  fineTuning: FineTuningOptions;
  /** The run that goes on, with what its history.json tells; null for a new run. */
  resumed: { folder: RunFolder; record: Partial<RunRecord> } | null;
}

/** Defaults, the recipe or config file over them, the command line over both. Throws ConfigError. */
export function planRun(argument: string | undefined, options: TrainOptions, command: Command): RunPlan {
  const refuse = (message: string): never => command.error(message);
  const file: PartialTrainConfig = argument === undefined ? {} : readConfigFile(recipeFile(argument, refuse));
  return { ...settled(resolveConfig(file, configFromOptions(options))), fineTuning: options, resumed: null };
}

/** What may be given beside --resume: it changes nothing of what was trained so far. */
const changeable: readonly string[] = ['resume', 'epochs', 'earlyStopping', 'verbose'];

/** The config of the folder, with other epochs or another patience where they are asked for. Throws CheckpointError where it is no run's. */
export async function planResumption(
  argument: string | undefined,
  options: TrainOptions & { resume: string },
  command: Command,
): Promise<RunPlan> {
  checkGiven(argument, command);
  const folder = runFolder(options.resume);
  const { epochs, earlyStopping } = options;
  const before = await configOf(folder);
  checkWarmup(before, epochs, folder);
  const config = resolveConfig(before, configFromOptions({ epochs, earlyStopping }));
  const record = await readRecord(folder);
  return { ...settled(config), fineTuning: fineTuningOf(record.fineTuning), resumed: { folder, record } };
}

function checkGiven(argument: string | undefined, command: Command): void {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const refused = command.options.filter((option) => {
    const name = option.attributeName();
    if (changeable.includes(name) || !isGiven(name)) return false;
    return option.negate === (command.getOptionValue(name) === false); // of --flip and --no-flip the one that was given
  });
  const names = [...(argument === undefined ? [] : [`'${argument}'`]), ...refused.map(({ long }) => long)];
  if (names.length > 0)
    command.error(
      `error: --resume goes on with the run as it was: ${names.join(', ')} cannot be given, for only --epochs and --early-stopping may change`,
    );
}

/** A shorter warm-up would have been another run from its first step on. */
function checkWarmup({ schedule }: PartialTrainConfig, epochs: number | undefined, { config }: RunFolder): void {
  const warmup = typeof schedule === 'object' ? (schedule.warmup ?? 0) : 0;
  if (epochs === undefined || warmup === 0 || epochs > warmup) return;
  throw new ConfigError(
    `--epochs: expected more than the ${warmup} epoch(s) of warm-up of the run that goes on (schedule.warmup in ${config}), got ${epochs}.`,
    { argument: '--epochs', expected: warmup, found: epochs },
  );
}

async function configOf({ config, path }: RunFolder): Promise<PartialTrainConfig> {
  await readFile(config).catch((cause: Error) => {
    const message = `${path}: expected the folder of a run of residua train, with its config.json: ${cause.message}.`;
    throw new CheckpointError(message, { file: config }, { cause });
  });
  return readConfigFile(config);
}

/** A run that was killed before it wrote anything has no history.json. */
async function readRecord({ history }: RunFolder): Promise<Partial<RunRecord>> {
  const text = await readFile(history, 'utf8').catch(() => '{}');
  try {
    return (JSON.parse(text) ?? {}) as Partial<RunRecord>;
  } catch (cause) {
    throw new CheckpointError(`${history}: expected JSON: ${(cause as Error).message}`, { file: history }, { cause });
  }
}

/** Device and precision are chosen, and paths hold from any folder. */
function settled(config: TrainConfig): Pick<RunPlan, 'config' | 'device'> {
  const device = chooseDevice(config.device);
  const { data, weights } = config;
  const path = /^folder:(.*)$/s.exec(data.name)?.[1];
  const settledData = {
    ...data,
    name: path === undefined ? data.name : (`folder:${resolve(path)}` as const),
    root: data.root && resolve(data.root),
  };
  return {
    config: {
      ...config,
      device: device.name,
      precision: choosePrecision(config.precision, device),
      weights: weights && resolve(weights),
      data: settledData,
    },
    device,
  };
}
