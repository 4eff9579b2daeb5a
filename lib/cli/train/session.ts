// A run that is ready to begin: net, data, trainer, and the record of it all.
import { type BuiltRun, buildRun } from '../../config/index.js';
import { type Device, setDevice } from '../../device.js';
import { DataError } from '../../errors.js';
import type { Block } from '../../nn/index.js';
import { chapterModel } from '../build-net.js';
import { environmentOf } from '../environment.js';
import { type FineTuningOptions, fineTune } from '../fine-tuning.js';
import type { RunRecord } from '../run-record.js';
import { recordOfFineTuning } from './fine-tuning-record.js';
import { note } from './note.js';
import type { RunPlan } from './plan.js';

export interface Session extends BuiltRun {
  device: Device;
  run: RunRecord;
}

/** Reads the data and makes the net. `isRestored`: its values come from a checkpoint, not from a file of weights. */
export async function prepareSession(plan: RunPlan, isRestored: boolean): Promise<Session> {
  const { config, device, fineTuning } = plan;
  setDevice(device);
  const built = await buildRun(config, {
    device,
    prepareNet: (net) => fineTune(net, { ...fineTuning, ...weightsOf(plan, isRestored) }, note),
  });
  try {
    checkClasses(plan, built);
  } catch (error) {
    await Promise.all([built.train.dispose(), built.validation?.dispose()]);
    throw error;
  }
  return { ...built, device, run: recordOf(plan, built) };
}

/** A net that knows classes by their numbers cannot go on with others. */
function checkClasses({ config, resumed }: RunPlan, { record: { classNames } }: BuiltRun): void {
  const before = resumed?.record.net?.classNames;
  if (!before || before.join('\n') === classNames.join('\n')) return;
  const of = (names: readonly string[]): string => (names.length > 10 ? `${names.length} of them` : names.join(', '));
  throw new DataError(
    `${titleOf(config.data.name)}: expected the classes of the run that goes on (${of(before)}), found ${of(classNames)}: the data have changed. Give it the same data, or begin a new run.`,
    { expected: before, found: classNames },
  );
}

/** What a resumed run began from may be gone. */
function weightsOf({ config, fineTuning }: RunPlan, isRestored: boolean): FineTuningOptions {
  if (isRestored) return { weights: undefined, replaceHead: undefined, inChannels: undefined };
  return { weights: config.weights ?? undefined, replaceHead: fineTuning.replaceHead };
}

function recordOf({ config, device, fineTuning, resumed }: RunPlan, built: BuiltRun): RunRecord {
  const before = resumed?.record;
  return {
    model: config.model === chapterModel ? "the chapter's ResNet-18" : config.model,
    data: titleOf(config.data.name),
    net: built.record,
    config,
    fineTuning: recordOfFineTuning(fineTuning),
    environment: environmentOf(device),
    started: before?.started ?? new Date().toISOString(),
    seconds: before?.seconds ?? 0,
    skippedSteps: before?.skippedSteps ?? 0,
    interrupted: false,
    stopped: null,
    parameters: trainableNumbers(built.net),
    trainImages: built.train.dataset.length,
    testImages: built.validation?.dataset.length ?? 0,
    brokenImages: before?.brokenImages,
    peakMemory: before?.peakMemory ?? 0,
    epochs: [],
  };
}

const titles: Readonly<Record<string, string>> = {
  'fashion-mnist': 'Fashion-MNIST',
  mnist: 'MNIST',
  cifar10: 'CIFAR-10',
  cifar100: 'CIFAR-100',
  synthetic: 'synthetic images',
};

/** The data set as people call it; of a folder its path. */
export const titleOf = (name: string): string => titles[name] ?? name.replace(/^folder:/, '');

/** How many numbers training changes; 0 where sizes are not known before the first batch. */
export function trainableNumbers(net: Block): number {
  const trained = [...net.collectParams().values()].filter(({ trainable }) => trainable);
  return trained.reduce((sum, { shape }) => sum + shape.reduce((product, d) => product * d, 1), 0);
}
