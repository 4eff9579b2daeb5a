// Keeps history.json up to date while a run goes on.
import type { FitHandler, FitRun } from '../../train/index.js';
import { type RunFolder, writeWhole } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';
import { trainableNumbers } from './session.js';

export class RecordKeeper implements FitHandler {
  readonly #record: RunRecord;
  readonly #folder: RunFolder;
  readonly #before: { seconds: number; skippedSteps: number; peakMemory: number };
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

  #update({ epochs, trainer, net }: FitRun): void {
    const record = this.#record;
    const { seconds, skippedSteps, peakMemory } = this.#before;
    record.epochs = epochs;
    record.seconds = seconds + (performance.now() - this.#start) / 1000;
    record.skippedSteps = skippedSteps + trainer.skippedSteps;
    record.parameters = trainableNumbers(net);
    record.peakMemory = Math.max(peakMemory, process.resourceUsage().maxRSS * 1024);
    writeWhole(this.#folder.history, `${JSON.stringify(record, null, 2)}\n`);
  }
}
