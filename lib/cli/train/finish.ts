// The end of a run: the best weights, pictures, and what a person is told.
import type { Dataset } from '../../data/dataset.js';
import { netFileIn } from '../../train/checkpoint.js';
import type { FitHistory } from '../../train/index.js';
import { chapterModel } from '../build-net.js';
import { commandLine, trainCommandLine } from '../command-line.js';
import { exitStatus } from '../exit-status.js';
import { type RunFolder, writeWhole } from '../run-folder.js';
import { closingWords } from './closing-words.js';
import { note } from './note.js';
import type { Session } from './session.js';

/** Writes what is made of a run's end. Sets the exit status of one that was interrupted. */
export async function finishRun(session: Session, folder: RunFolder, history: FitHistory): Promise<void> {
  const { net, run } = session;
  const checkpoint = history.bestCheckpoint ?? history.lastCheckpoint;
  if (checkpoint !== null) {
    await net.loadParameters(netFileIn(checkpoint));
    await net.saveParameters(folder.weights);
  }
  if (run.interrupted) {
    tellInterrupted(folder, checkpoint !== null);
    return;
  }
  await writePictures(session, folder);
  note(closingWords(run, folder));
}

function tellInterrupted({ path }: RunFolder, hasSteps: boolean): void {
  const what = hasSteps ? 'A checkpoint, weights and history so far are' : 'No step was done; the history is';
  note(`Interrupted. ${what} in ${path}. To go on:\n  ${trainCommandLine('--resume', path)}`);
  if (hasSteps) note(`To see what was done so far, as report.html:\n  ${commandLine('report', path)}`);
  process.exitCode = exitStatus.interrupted;
}

async function writePictures({ net, run, validation, testSet, device, fitOptions }: Session, folder: RunFolder) {
  const [{ mistakesShown, worstMistakes }, { writeReport }] = await Promise.all([
    import('../../report/worst-mistakes.js'),
    import('../../report/write-report.js'),
  ]);
  const { precision } = fitOptions;
  const mistakes = validation ? await worstMistakes(net, validation, mistakesShown, device, { precision }) : [];
  await writeReport(folder.path, { record: run, mistakes });
  if (run.net.model !== chapterModel || testSet === null || !('images' in testSet)) return;
  const { runReport } = await import('../run-report.js'); // with vega, which no other command should wait for
  writeWhole(folder.report, await runReport(run, net, testSet as Dataset, device));
}
