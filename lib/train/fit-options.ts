// The options of `fit`: what they are, their defaults and checks.
import { currentDevice, type Device } from '../device.js';
import { ConfigError } from '../errors.js';
import { Block } from '../nn/block.js';
import { Trainer } from '../optim/index.js';
import { checkBoolean, checkChoice, checkInteger, checkNumber, checkOptions } from '../options.js';
import { type Precision, precisions } from '../precision.js';
import { type Batches, checkDevice } from './batches.js';
import type { FitHandler } from './fit-handlers.js';
import type { MixupOptions } from './mixup.js';

export interface CheckpointOptions {
  /** Where the checkpoints lie: folders 'step-000000123'. */
  folder: string;
  /** How many of the newest are kept, beside the best. Default 3. */
  keepLast?: number;
  /** Also after every so many steps. Default: after epochs alone. */
  everySteps?: number;
  /** After every so many epochs, and after the last. Default 1. */
  everyEpochs?: number;
  /** Kept in every checkpoint; plain data. */
  config?: unknown;
}

export interface FitOptions {
  /** Batches of an epoch: a DataLoader, or an array. Other iterables train, but cannot be resumed within an epoch. */
  train: Batches;
  /** Evaluated after each epoch. */
  validation?: Batches;
  /** Epochs in all, those before a resumption included: at least as many as it finds begun. */
  epochs: number;
  /** Where the parameters are; batches are moved there. Default: the default device. */
  device?: Device;
  /** Default 'float32'. */
  precision?: Precision;
  checkpoint?: CheckpointOptions;
  /** Goes on from the newest whole checkpoint in the folder; where there is none, from the beginning. Default false. */
  resume?: boolean;
  handlers?: readonly FitHandler[];
  /** Ends the run after the step under way, with a checkpoint. */
  signal?: AbortSignal;
  /** Batches whose gradients are summed for one optimiser step. Default 1. */
  accumulate?: number;
  /** The part of the target that is spread over all classes, from 0 (default) to 1. */
  labelSmoothing?: number;
  /** Decay of averaged weights, which are evaluated and stored beside the others. Default: none are kept. */
  averageDecay?: number;
  mixup?: MixupOptions;
  /**
   * What a NaN or infinite loss leads to: 'stop' (default) with a NumericError, 'skip' the step, or 'rollback' to the newest checkpoint
   * (for the second such step in a row the one before that, and so on; none left: 'skip') and on with the next batches. The latter two stop
   * at the tenth such step in a row.
   */
  onNan?: 'stop' | 'skip' | 'rollback';
  /** Whether forward and backward run as one program (see `Block.hybridize`), with the same results. Default true. */
  capture?: boolean;
  /** Where warnings go. Default console.warn. */
  warn?: (line: string) => void;
}

const optional = ['checkpoint', 'signal', 'validation', 'averageDecay', 'mixup'] as const;
export type CheckedFitOptions = Required<Omit<FitOptions, (typeof optional)[number]>> &
  Pick<FitOptions, (typeof optional)[number]>;

const names = [
  ...optional,
  ...['train', 'epochs', 'device', 'precision', 'resume', 'handlers', 'accumulate', 'labelSmoothing', 'onNan'],
  ...['capture', 'warn'],
];

/** Throws ConfigError. */
export function checkFitOptions(net: unknown, trainer: unknown, options: FitOptions): CheckedFitOptions {
  if (!(net instanceof Block)) throw new ConfigError(`fit() expected net to be a Block, got ${typeof net}.`);
  if (!(trainer instanceof Trainer)) throw new ConfigError(`fit() expected a Trainer, got ${typeof trainer}.`);
  checkOptions('fit()', options, names);
  const checked: CheckedFitOptions = {
    ...options,
    device: options.device ?? currentDevice(),
    precision: checkChoice('fit()', 'precision', options.precision ?? 'float32', precisions),
    resume: checkBoolean('fit()', 'resume', options.resume ?? false),
    handlers: options.handlers ?? [],
    accumulate: checkInteger('fit()', 'accumulate', options.accumulate ?? 1, 1),
    labelSmoothing: options.labelSmoothing ?? 0,
    onNan: checkChoice('fit()', 'onNan', options.onNan ?? 'stop', ['stop', 'skip', 'rollback']),
    capture: checkBoolean('fit()', 'capture', options.capture ?? true),
    warn: options.warn ?? console.warn,
  };
  checkInteger('fit()', 'epochs', options.epochs, 0);
  checkDevice('fit', checked.device);
  checkDecayAndMixup(options);
  checkCheckpoint(checked);
  return checked;
}

function checkDecayAndMixup({ averageDecay, mixup }: FitOptions): void {
  if (averageDecay !== undefined) checkNumber('fit()', 'averageDecay', averageDecay, { min: 0, max: 1 });
  if (mixup === undefined) return;
  checkOptions('fit() mixup', mixup, ['alpha', 'seed']);
  checkNumber('fit()', 'mixup.alpha', mixup.alpha, { min: 0, exclusive: true });
  checkInteger('fit()', 'mixup.seed', mixup.seed ?? 0, 0);
}

function checkCheckpoint({ checkpoint, resume, onNan }: CheckedFitOptions): void {
  if (!checkpoint) {
    const needs = resume ? 'resume' : onNan === 'rollback' ? "onNan 'rollback'" : null;
    if (needs)
      throw new ConfigError(`fit() expected checkpoint: { folder } for ${needs}, got none.`, {
        argument: 'checkpoint',
      });
    return;
  }
  checkOptions('fit() checkpoint', checkpoint, ['folder', 'keepLast', 'everySteps', 'everyEpochs', 'config']);
  if (typeof checkpoint.folder !== 'string' || checkpoint.folder === '')
    throw new ConfigError('fit() expected checkpoint.folder to be a path.', { argument: 'checkpoint.folder' });
  for (const name of ['keepLast', 'everySteps', 'everyEpochs'] as const)
    if (checkpoint[name] !== undefined) checkInteger('fit()', `checkpoint.${name}`, checkpoint[name], 1);
}
