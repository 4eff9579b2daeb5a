// Keeps history.json up to date while a run goes on.
import { DataLoader } from '../../data/data-loader.js';
import { ImageFiles } from '../../data/image-files.js';
import type { FitHandler, FitRun } from '../../train/index.js';
import { type RunFolder, writeWhole } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';
import { recordText } from '../run-record-text.js';
import { trainableNumbers } from './session.js';

export class RecordKeeper implements FitHandler {
  readonly #record: RunRecord;
  readonly #folder: RunFolder;
  readonly #before: Pick<RunRecord, 'seconds' | 'skippedSteps' | 'peakMemory' | 'brokenImages'>;
  #start = performance.now();

  /** `record` is filled in as the run goes. */
  constructor(record: RunRecord, folder: RunFolder) {
    this.#record = record;
    this.#folder = folder;
    this.#before = { ...record };
  }

  trainBegin(run: FitRun): void {
    this.#start = performance.now();
    this.#update(run);
  }

  epochEnd(run: FitRun): void {
    this.#update(run);
  }

  trainEnd(run: FitRun): void {
    const { epochs } = run.options;
    this.#record.stopped = run.stopped;
    this.#record.interrupted = run.stopped === null && run.epoch < epochs;
    this.#update(run);
  }

  #update({ epochs, trainer, net, options }: FitRun): void {
    const record = this.#record;
    const { seconds, skippedSteps, peakMemory } = this.#before;
    record.epochs = epochs;
    record.seconds = seconds + (performance.now() - this.#start) / 1000;
    record.skippedSteps = skippedSteps + trainer.skippedSteps;
    record.parameters = trainableNumbers(net);
    record.brokenImages = brokenImages(options, this.#before.brokenImages);
    record.peakMemory = Math.max(peakMemory, process.resourceUsage().maxRSS * 1024);
    writeWhole(this.#folder.history, recordText(record));
  }
}

/** Of both data sets, after those met before a resumption; undefined where there are none, or where the data are no files. */
function brokenImages(
  { train, validation }: FitRun['options'],
  before: RunRecord['brokenImages'] = [],
): RunRecord['brokenImages'] {
  const now = [train, validation].flatMap((batches) =>
    batches instanceof DataLoader && batches.dataset instanceof ImageFiles ? batches.dataset.broken : [],
  );
  const found = [...before, ...now];
  return found.length === 0 ? undefined : [...new Map(found.map((image) => [image.file, image])).values()];
}
