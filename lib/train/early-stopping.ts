// Ends training when validation gets no better.
import { checkChoice, checkInteger, checkNumber, checkOptions } from '../options.js';
import { isFigure } from './confusion.js';
import type { FitEpoch, FitHandler } from './fit-handlers.js';
import type { FitRun } from './fit-run.js';

export interface EarlyStoppingOptions {
  /** Epochs without an improvement after which training ends. */
  patience: number;
  /** What counts as an improvement. Default 0: anything. */
  minDelta?: number;
  /** Default 'accuracy' (top-1). */
  monitor?: 'accuracy' | 'loss';
}

/**
 * Ends a run after `patience` epochs in a row without a better validation. A run that it has ended trains no more when it is resumed, unless
 * the patience is larger then, or `epochs` is: with more epochs the waiting begins anew.
 */
export class EarlyStopping implements FitHandler {
  readonly name = 'earlyStopping';
  readonly #options: Required<EarlyStoppingOptions>;
  #best: number | null = null;
  #waited = 0;
  /** `epochs` of the run that the two above are of; null where it is not known. */
  #epochs: number | null = null;
  #isRestored = false;

  constructor(options: EarlyStoppingOptions) {
    checkOptions('EarlyStopping', options, ['patience', 'minDelta', 'monitor']);
    const { patience, minDelta = 0, monitor = 'accuracy' } = options;
    checkInteger('EarlyStopping', 'patience', patience, 1);
    checkNumber('EarlyStopping', 'minDelta', minDelta, { min: 0 });
    checkChoice('EarlyStopping', 'monitor', monitor, ['accuracy', 'loss']);
    this.#options = { patience, minDelta, monitor };
  }

  trainBegin(run: FitRun): void {
    const { epochs } = run.options;
    if (!this.#isRestored) this.#best = null;
    const isOver = this.#isRestored && this.#waited >= this.#options.patience;
    const isLonger = this.#epochs !== null && epochs > this.#epochs;
    if (!this.#isRestored || (isOver && isLonger)) this.#waited = 0;
    this.#isRestored = false;
    this.#epochs = epochs;
    this.#stopWhereDue(run);
  }

  epochEnd(run: FitRun, { validation }: FitEpoch): void {
    if (!validation) return;
    const { minDelta, monitor } = this.#options;
    const value = monitor === 'accuracy' ? validation.top1 : -validation.loss;
    if (isFigure(validation) && (this.#best === null || value > this.#best + minDelta)) {
      this.#best = value;
      this.#waited = 0;
      return;
    }
    this.#waited += 1;
    this.#stopWhereDue(run);
  }

  #stopWhereDue(run: FitRun): void {
    const { patience, monitor } = this.#options;
    const epochs = patience === 1 ? '1 epoch' : `${patience} epochs`;
    if (this.#waited >= patience) run.stop(`validation ${monitor} did not improve for ${epochs}`);
  }

  state(): unknown {
    return { best: this.#best, waited: this.#waited, epochs: this.#epochs };
  }

  restore(state: unknown): void {
    const { best, waited, epochs } = state as { best: number | null; waited: number; epochs?: number | null };
    this.#best = best;
    this.#waited = waited;
    this.#isRestored = true;
    this.#epochs = epochs ?? null; // checkpoints of earlier versions do not tell
  }
}
