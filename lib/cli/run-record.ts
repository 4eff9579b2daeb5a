// What history.json holds: how a run was made, on what, and what came out.
import type { SettledConfig } from '../config/train-config.js';
import type { FitEpoch } from '../train/index.js';
import type { Environment } from './environment.js';
import type { NetRecord } from './net-record.js';
import type { FineTuningRecord } from './train/fine-tuning-record.js';

/** A run of `residua train`. Runs of earlier versions have another `config` and other `epochs`: only their `net` is read. */
export interface RunRecord {
  model: string;
  data: string;
  /** How to build the net again and what it takes: for the commands that run it. */
  net: NetRecord;
  /** The resolved config, as in config.json. */
  config: SettledConfig;
  /** What was asked for beside the config; undefined for nothing. */
  fineTuning?: FineTuningRecord;
  environment: Environment;
  /** Start, in ISO 8601. */
  started: string;
  /** Of training, in all; those before a resumption included. */
  seconds: number;
  /** Steps left out because gradients overflowed float16. */
  skippedSteps: number;
  /** Whether it was stopped before its end. */
  interrupted: boolean;
  /** Why it ended before its last epoch; null where it did not. */
  stopped: string | null;
  /** Numbers that are trained. */
  parameters: number;
  trainImages: number;
  /** Of the validation after each epoch; 0 where there is none. */
  testImages: number;
  /** Images that could not be decoded and were left out, in the order in which they were met. */
  brokenImages?: { file: string; reason: string }[];
  /** Of the process, in bytes. */
  peakMemory: number;
  /** The complete epochs. */
  epochs: FitEpoch[];
}
