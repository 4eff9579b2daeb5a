// What a person sees of a run while it goes on: progress, and a line for each epoch.
import { basename } from 'node:path';
import { backendOf, type Device } from '../../device.js';
import { isFigure } from '../../train/confusion.js';
import {
  epochLine,
  type FitBatch,
  type FitEpoch,
  type FitHandler,
  type FitNumericProblem,
  type FitRun,
} from '../../train/index.js';
import { chapterModel } from '../build-net.js';
import { bytes } from '../format.js';
import { FullRecipeNote } from '../full-recipe-note.js';
import { Progress } from '../progress.js';
import { recipeOf } from '../recipe.js';
import type { RunRecord } from '../run-record.js';
import { columnsOf, filled } from '../terminal.js';
import { note } from './note.js';

export class RunLines implements FitHandler {
  readonly #device: Device;
  readonly #isChapter: boolean;
  readonly #hasEvaluation: boolean;
  readonly #progress: Progress;
  readonly #fullRecipe: FullRecipeNote | null;
  #steps = 0;
  #isResumed = false;
  /** Whether the steps of the epoch are done. */
  #isEvaluating = false;

  constructor({ config, testImages }: RunRecord, device: Device) {
    this.#device = device;
    this.#hasEvaluation = testImages > 0;
    this.#isChapter = config.model === chapterModel && config.data.name === 'fashion-mnist';
    this.#progress = new Progress(config.epochs, { memory: () => memoryOn(device) });
    this.#fullRecipe = this.#isChapter
      ? new FullRecipeNote(recipeOf(config), device.kind, (line) => this.say(line))
      : null;
  }

  /** A line of words beside the progress. */
  say(line: string): void {
    this.#progress.interrupt(() => note(line));
  }

  /** Ctrl-C was pressed. */
  stopping(): void {
    this.say(`Stopping after this ${this.#isEvaluating ? 'evaluation' : 'step'}; once more leaves at once.`);
  }

  /** The last words of a process that ends: no bar follows, and the terminal is as it was before. */
  leave(line: string): void {
    this.#progress.stop();
    note(line);
  }

  trainBegin({ step }: FitRun): void {
    this.#isResumed = step > 0;
    this.#fullRecipe?.announce();
    this.#print(`training on ${this.#device}`);
  }

  batchEnd(_run: unknown, batch: FitBatch): void {
    this.#progress.step(batch);
    this.#isEvaluating = this.#hasEvaluation && batch.batch === batch.batches;
    this.#steps += 1;
    this.#fullRecipe?.afterStep(this.#steps, this.#progress.imagesPerSecond);
  }

  numericProblem(_run: unknown, { epoch, batch, loss, layer, action, checkpoint }: FitNumericProblem): void {
    if (action === 'stop') return; // told by the error
    const what = checkpoint === null ? 'the step is skipped' : `back to checkpoint ${basename(checkpoint)}`;
    this.say(`The loss became ${loss} in epoch ${epoch}, batch ${batch}, first in layer '${layer}': ${what}.`);
  }

  epochEnd(_run: unknown, epoch: FitEpoch): void {
    this.#isEvaluating = false;
    this.#print(this.#isChapter && epoch.validation ? chapterLine(epoch) : line(epoch));
  }

  trainEnd(run: FitRun): void {
    this.#progress.stop();
    this.#fullRecipe?.close();
    if (this.#isResumed && this.#steps === 0) this.#tellNothingLeft(run);
  }

  #tellNothingLeft({ stopped, epoch, options }: FitRun): void {
    if (stopped !== null)
      note(
        `This run had ended by early stopping after epoch ${epoch} (${stopped}): nothing more is trained. More --epochs than ${options.epochs}, another --early-stopping, or none, go on.`,
      );
    else if (epoch >= options.epochs)
      note(`All ${options.epochs} epochs of this run are trained: nothing more is trained. More --epochs go on.`);
  }

  /** At the beginning, or the end of an epoch, whose bar is done. */
  #print(line: string): void {
    this.#progress.stop();
    console.log(filled(line.split(/(?<=,) /), ' ', columnsOf(process.stdout), '  '));
  }
}

/** The line of the chapter's function. */
function chapterLine({ epoch, loss, trainAccuracy, validation, seconds }: FitEpoch): string {
  const testAccuracy = validation && isFigure(validation) ? validation.top1 : Number.NaN;
  return epochLine({ epoch, loss, trainAccuracy, testAccuracy, seconds, imagesPerSecond: Number.NaN });
}

function line({ epoch, loss, trainAccuracy, validation, learningRate, seconds }: FitEpoch): string {
  return [
    `epoch ${epoch}, loss ${loss.toFixed(4)}`,
    `train acc ${trainAccuracy.toFixed(3)}`,
    ...(validation
      ? [isFigure(validation) ? `validation acc ${validation.top1.toFixed(3)}` : 'validation not finite']
      : []),
    ...(validation && isFigure(validation) && validation.classes.length > 5
      ? [`top-5 ${validation.top5.toFixed(3)}`]
      : []),
    `lr ${Number(learningRate.toPrecision(3))}`,
    `time ${seconds.toFixed(1)} sec`,
  ].join(', ');
}

/** Of the process, and of the GPU where the run is on one. */
function memoryOn(device: Device): string {
  const ofProcess = bytes(process.memoryUsage.rss());
  return device.kind === 'cpu' ? ofProcess : `${ofProcess}, GPU ${bytes(backendOf(device).memory().reservedBytes)}`;
}
