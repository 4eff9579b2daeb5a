// Trains: a new run in a folder of its own, or one that goes on in its own.
import { setImmediate } from 'node:timers/promises';
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
import { interruptible } from '../interrupt.js';
import { makeRunFolder, type RunFolder, writeWhole } from '../run-folder.js';
import { lockRunFolder } from '../run-lock.js';
import { sayingWarnings } from '../warnings.js';
import { finishRun } from './finish.js';
import { whileFinishing, whilePreparing, whileTraining } from './interruptions.js';
import { note } from './note.js';
import type { RunPlan } from './plan.js';
import { RecordKeeper } from './record-keeper.js';
import { RunLines } from './run-lines.js';
import { prepareSession, type Session } from './session.js';

/** `out`: the folder of a new run; undefined: runs/<time>. */
export async function executeRun(plan: RunPlan, out: string | undefined): Promise<void> {
  let words = whilePreparing(plan);
  await interruptible(
    async (signal) => {
      const session = await prepareSession(plan, await hasCheckpoint(plan));
      try {
        await setImmediate(); // a press of the last moments is told
        const folder = plan.resumed?.folder ?? makeRunFolder(out);
        const unlock = await lockRunFolder(folder.path);
        try {
          if (plan.resumed === null) writeConfig(plan, folder);
          const lines = new RunLines(session.run, session.device);
          words = whileTraining(lines, folder);
          const history = await train({ session, plan, folder, lines, signal });
          if (!session.run.interrupted) words = whileFinishing(folder);
          await finishRun(session, folder, history);
        } finally {
          unlock();
        }
      } finally {
        await Promise.all([session.train.dispose(), session.validation?.dispose()]);
      }
    },
    () => words,
  );
}

async function hasCheckpoint({ resumed }: RunPlan): Promise<boolean> {
  if (resumed === null) return false;
  const names = await new CheckpointFolder(resumed.folder.checkpoints, 1).names();
  return names.length > 0;
}

/** Of a run that goes on: only when it is known that it does. */
function begin(plan: RunPlan, folder: RunFolder, lines: RunLines): void {
  writeConfig(plan, folder);
  for (const line of plan.resumed?.notes ?? []) lines.say(line);
}

const writeConfig = ({ config }: RunPlan, { config: file }: RunFolder): void =>
  writeWhole(file, `${JSON.stringify(config, null, 2)}\n`);

interface Training {
  session: Session;
  plan: RunPlan;
  folder: RunFolder;
  lines: RunLines;
  signal: AbortSignal;
}

async function train({ session, plan, folder, lines, signal }: Training): Promise<FitHistory> {
  const { config, resumed } = plan;
  const { net, trainer, fitOptions, run } = session;
  const handlers: FitHandler[] = [
    { trainBegin: () => begin(plan, folder, lines) },
    ...(await extraHandlers(config, folder)),
    new MetricsLog(folder.metrics),
    new RecordKeeper(run, folder),
  ];
  const history = await sayingWarnings(
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
  );
  const { skippedSteps } = run;
  if (skippedSteps > 0)
    note(
      `${skippedSteps} of ${trainer.numUpdate + skippedSteps} steps were skipped: their gradients overflowed float16.`,
    );
  return history;
}

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
