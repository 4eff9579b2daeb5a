// What history.json holds: how a run was made, on what, and what came out.
import type { Precision } from '../precision.js';
import type { EpochRecord } from '../train/history.js';
import type { Environment } from './environment.js';
import type { NetRecord } from './net-record.js';
import type { Recipe } from './recipe.js';

export interface RunRecord {
  model: string;
  data: string;
  /** How to build the net again and what it takes: for the commands that run it. */
  net: NetRecord;
  config: Recipe & {
    optimizer: string;
    initializer: string;
    device: string;
    precision: Precision;
    seed: number;
    /** The file of weights that the training began from; none: it began from drawn ones. */
    weights?: string;
    trainImages: number;
    testImages: number;
  };
  environment: Environment;
  /** Start, in ISO 8601. */
  started: string;
  /** From the start of the training, in all. */
  seconds: number;
  /** Steps left out because gradients overflowed float16. */
  skippedSteps: number;
  /** Whether it was stopped before its end. */
  interrupted: boolean;
  /** The complete epochs. */
  epochs: EpochRecord[];
}
