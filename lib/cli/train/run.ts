// Trains: a new run in a folder of its own, or one that goes on in its own.
import type { TrainConfig } from '../../config/index.js';
import { CheckpointFolder } from '../../train/checkpoint-folder.js';
import {
  type CheckpointOptions,
  EarlyStopping,
  type FitHandler,
  type FitHistory,
  fit as fitNet,
  MetricsLog,
} from '../../train/index.js';
import { trainCommandLine } from '../command-line.js';
import { interruptible } from '../interrupt.js';
import { makeRunFolder, type RunFolder, writeWhole } from '../run-folder.js';
import { lockRunFolder } from '../run-lock.js';
import { sayingWarnings } from '../warnings.js';
import { finishRun } from './finish.js';
import { note } from './note.js';
import type { RunPlan } from './plan.js';
import { RecordKeeper } from './record-keeper.js';
import { RunLines } from './run-lines.js';
import { prepareSession, type Session } from './session.js';

/** `out`: the folder of a new run; undefined: runs/<time>. */
export async function executeRun(plan: RunPlan, out: string | undefined): Promise<void> {
  const session = await prepareSession(plan, await hasCheckpoint(plan));
  try {
    const folder = plan.resumed?.folder ?? makeRunFolder(out);
    const unlock = await lockRunFolder(folder.path);
    try {
      if (plan.resumed === null) writeConfig(plan, folder);
      await finishRun(session, folder, await train(session, plan, folder));
    } finally {
      unlock();
    }
  } finally {
    await Promise.all([session.train.dispose(), session.validation?.dispose()]);
  }
}

async function hasCheckpoint({ resumed }: RunPlan): Promise<boolean> {
  if (resumed === null) return false;
  const names = await new CheckpointFolder(resumed.folder.checkpoints, 1).names();
  return names.length > 0;
}

const writeConfig = ({ config }: RunPlan, { config: file }: RunFolder): void =>
  writeWhole(file, `${JSON.stringify(config, null, 2)}\n`);

async function train(session: Session, plan: RunPlan, folder: RunFolder): Promise<FitHistory> {
  const { config, resumed } = plan;
  const { net, trainer, fitOptions, run, device } = session;
  const lines = new RunLines(run, device);
  const handlers: FitHandler[] = [
    { trainBegin: () => writeConfig(plan, folder) }, // of a run that goes on: only when it is known that it does
    ...(await extraHandlers(config, folder)),
    new MetricsLog(folder.metrics),
    new RecordKeeper(run, folder),
  ];
  const history = await interruptible(
    (signal) =>
      sayingWarnings(
        (line) => lines.say(line),
        () =>
          fitNet(net, trainer, {
            ...fitOptions,
            handlers: [lines, ...handlers],
            signal,
            checkpoint: checkpointOptions(config, folder),
            resume: resumed !== null,
            warn: (line) => lines.say(line),
          }),
      ),
    {
      onFirst: () => lines.say('Stopping after this step; once more leaves at once.'),
      onSecond: () => lines.leave(`Left at once. ${whatStays(folder)}`),
    },
  );
  const { skippedSteps } = run;
  if (skippedSteps > 0)
    note(
      `${skippedSteps} of ${trainer.numUpdate + skippedSteps} steps were skipped: their gradients overflowed float16.`,
    );
  return history;
}

/** Of a run that is left in the middle of a step. */
const whatStays = ({ path }: RunFolder): string =>
  `To go on from the last checkpoint, or from the beginning where there is none:\n  ${trainCommandLine('--resume', path)}`;

async function extraHandlers({ earlyStopping, tensorboard }: TrainConfig, folder: RunFolder): Promise<FitHandler[]> {
  const handlers: FitHandler[] = [];
  if (earlyStopping !== null) handlers.push(new EarlyStopping({ patience: earlyStopping }));
  if (tensorboard) {
    const { TensorBoardLog } = await import('../../train/tensorboard/tensorboard-log.js');
    handlers.push(new TensorBoardLog(folder.tensorboard));
  }
  return handlers;
}

function checkpointOptions(config: TrainConfig, { checkpoints }: RunFolder): CheckpointOptions {
  const { keepLast, everySteps, everyEpochs } = config.checkpoint;
  return { folder: checkpoints, keepLast, everySteps: everySteps ?? undefined, everyEpochs, config };
}
