// What a run is to be, from the command line and a config file. `resumption.ts`: from the folder of a run that goes on.
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
import type { FineTuningOptions } from '../fine-tuning.js';
import type { RunFolder } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';
import { configFromOptions } from './config-from-options.js';
import { namingOptions } from './option-places.js';
import type { TrainOptions } from './options.js';
import { recipeFile } from './recipe-file.js';

export interface RunPlan {
  config: SettledConfig;
  device: Device;
  fineTuning: FineTuningOptions;
  /** The run that goes on, with what its history.json tells, and what a person is told of changes; null for a new run. */
  resumed: { folder: RunFolder; record: Partial<RunRecord>; notes: string[] } | null;
}

/** Defaults, the recipe or config file over them, the command line over both. Throws ConfigError. */
export function planRun(argument: string | undefined, options: TrainOptions, command: Command): RunPlan {
  const refuse = (message: string): never => command.error(message);
  const file: PartialTrainConfig = argument === undefined ? {} : readConfigFile(recipeFile(argument, refuse));
  const config = namingOptions(command, () => resolveConfig(file, configFromOptions(options)));
  return { ...settled(config), fineTuning: options, resumed: null };
}

/** Device and precision are chosen, and paths hold from any folder. */
export function settled(config: TrainConfig): Pick<RunPlan, 'config' | 'device'> {
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
