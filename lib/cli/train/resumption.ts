// What a run that goes on takes from the command line, and why it does not take the rest.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type PartialTrainConfig, readConfigFile, resolveConfig, type TrainConfig } from '../../config/index.js';
import { CheckpointError, ConfigError } from '../../errors.js';
import { plural } from '../../report/run-facts.js';
import { type RunFolder, runFolder } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';
import { configFromOptions } from './config-from-options.js';
import { fineTuningOf } from './fine-tuning-record.js';
import { namingOptions } from './option-places.js';
import type { TrainOptions } from './options.js';
import { type RunPlan, settled } from './plan.js';
import { changeableOptions, otherOptions } from './resumption-options.js';

/** The config of the folder, with what may change where it is asked for. Throws CheckpointError where it is no run's, ConfigError. */
export async function planResumption(
  argument: string | undefined,
  options: TrainOptions & { resume: string },
  command: Command,
): Promise<RunPlan> {
  const folder = runFolder(options.resume);
  checkGiven(argument, command, folder);
  const before = await configOf(folder);
  const record = await readRecord(folder);
  checkData(before, options, command);
  checkWarmup(before, options.epochs, folder);
  checkTrained(record, options.epochs, folder);
  const was = resolveConfig(before);
  const plan = settled(namingOptions(command, () => resolveConfig(before, configFromOptions(options))));
  return {
    ...plan,
    fineTuning: fineTuningOf(record.fineTuning),
    resumed: { folder, record, notes: changeNotes(was, plan.config) },
  };
}

function checkGiven(argument: string | undefined, command: Command, { path, config, weights }: RunFolder): void {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const isTaken = (long: string): boolean =>
    [...changeableOptions, ...otherOptions].includes(long.replace(/^--no-/, '--'));
  const refused = command.options.filter((option) => {
    const name = option.attributeName();
    if (isTaken(option.long as string) || !isGiven(name)) return false;
    return option.negate === (command.getOptionValue(name) === false); // of --flip and --no-flip the one that was given
  });
  const names = refused.map(({ long }) => long as string);
  if (names.includes('--out'))
    command.error(
      `error: --out cannot be given with --resume: the run goes on in its own folder, ${path}. To keep that as it is, copy the folder and resume the copy`,
    );
  if (argument !== undefined)
    command.error(
      `error: '${argument}' cannot be given with --resume: the run has its config in its folder (${config}). These options may change it: ${changeableOptions.join(', ')}`,
    );
  if (names.length > 0)
    command.error(
      `error: --resume goes on with the run as it was: ${names.join(', ')} would make another one of it. What may change: ${changeableOptions.join(', ')}. To begin a new run with the weights of this one: --weights ${weights} in place of --resume`,
    );
}

/** Images that were moved are the same ones; `prepareSession` and `fit` look whether they are. */
function checkData(before: PartialTrainConfig, { data }: TrainOptions, command: Command): void {
  if (data === undefined) return;
  const was = resolveConfig(before).data.name;
  const isFolder = (name: string): boolean => name.startsWith('folder:');
  if (data === was || (isFolder(data) && isFolder(was))) return;
  command.error(
    `error: --data may tell a run that goes on where its folder of images is now: expected ${isFolder(was) ? 'folder:PATH' : `${was}, or none`}, got ${data}`,
  );
}

/** A shorter warm-up would have been another run from its first step on. */
function checkWarmup({ schedule }: PartialTrainConfig, epochs: number | undefined, { config }: RunFolder): void {
  const warmup = typeof schedule === 'object' ? (schedule.warmup ?? 0) : 0;
  if (epochs === undefined || warmup === 0 || epochs > warmup) return;
  throw new ConfigError(
    `--epochs: expected at least ${Math.floor(warmup) + 1}, for the run began with ${warmup} epoch(s) of warm-up (schedule.warmup in ${config}), which cannot change any more; got ${epochs}.`,
    { argument: '--epochs', expected: warmup, found: epochs },
  );
}

/** `fit` looks too, at the checkpoint: here it can be told in the words of the command line. */
function checkTrained(
  { epochs: trained = [] }: Partial<RunRecord>,
  epochs: number | undefined,
  folder: RunFolder,
): void {
  if (epochs === undefined || epochs >= trained.length) return;
  throw new ConfigError(
    `--epochs: expected at least ${trained.length}, for ${folder.path} has trained ${plural(trained.length, 'epoch')}, which cannot be taken back; got ${epochs}. For a shorter run begin a new one.`,
    { argument: '--epochs', expected: trained.length, found: epochs },
  );
}

/** What a person may not have thought of. */
function changeNotes(was: TrainConfig, { epochs, schedule, device }: TrainConfig): string[] {
  const follows = ['cosine', 'polynomial', 'one-cycle'].includes(schedule.name) && epochs !== was.epochs;
  const scheduleNote = `The schedule '${schedule.name}' is now over ${epochs} epochs in place of ${was.epochs}: the learning rate goes on from there.`;
  const deviceNote = `The run goes on on ${device} in place of ${was.device}: not to the same bits.`;
  return [...(follows ? [scheduleNote] : []), ...(device === was.device ? [] : [deviceNote])];
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
