// What Ctrl-C comes to: before a training begins and after its end there is nothing to wait for, within it a step.
import { trainCommandLine } from '../command-line.js';
import { exitStatus } from '../exit-status.js';
import type { InterruptWords } from '../interrupt.js';
import type { RunFolder } from '../run-folder.js';
import { note } from './note.js';
import type { RunPlan } from './plan.js';
import type { RunLines } from './run-lines.js';

/** While data and net are prepared. */
export function whilePreparing({ resumed }: RunPlan): InterruptWords {
  if (resumed === null)
    return leaving('Interrupted before training began: no run was made, and nothing is to be resumed.');
  return leaving(
    `Interrupted before training went on: the run is as it was. To go on:\n  ${resumption(resumed.folder)}`,
  );
}

export function whileTraining(lines: RunLines, folder: RunFolder): InterruptWords {
  return {
    onFirst: () => lines.stopping(),
    onSecond: () =>
      lines.leave(
        `Left at once. To go on from the last checkpoint, or from the beginning where there is none:\n  ${resumption(folder)}`,
      ),
  };
}

/** While weights, pictures and the report are written. */
export const whileFinishing = (folder: RunFolder): InterruptWords =>
  leaving(
    `Left at once: training has ended, what it leads to is not all written. ${folder.path} has checkpoints and history. To write the rest:\n  ${resumption(folder)}`,
  );

/** The process ends at the first press already. */
function leaving(words: string): InterruptWords {
  const onSecond = (): void => note(words);
  const onFirst = (): void => {
    onSecond();
    process.exit(exitStatus.interrupted);
  };
  return { onFirst, onSecond };
}

const resumption = ({ path }: RunFolder): string => trainCommandLine('--resume', path);
