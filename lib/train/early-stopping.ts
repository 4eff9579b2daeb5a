// Ends training when validation gets no better.
import { checkChoice, checkInteger, checkNumber, checkOptions } from '../options.js';
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

export class EarlyStopping implements FitHandler {
  readonly name = 'earlyStopping';
  readonly #options: Required<EarlyStoppingOptions>;
  #best: number | null = null;
  #waited = 0;

  constructor(options: EarlyStoppingOptions) {
    checkOptions('EarlyStopping', options, ['patience', 'minDelta', 'monitor']);
    const { patience, minDelta = 0, monitor = 'accuracy' } = options;
    checkInteger('EarlyStopping', 'patience', patience, 1);
    checkNumber('EarlyStopping', 'minDelta', minDelta, { min: 0 });
    checkChoice('EarlyStopping', 'monitor', monitor, ['accuracy', 'loss']);
    this.#options = { patience, minDelta, monitor };
  }

  epochEnd(run: FitRun, { validation }: FitEpoch): void {
    if (!validation) return;
    const { patience, minDelta, monitor } = this.#options;
    const value = monitor === 'accuracy' ? validation.top1 : -validation.loss;
    if (this.#best === null || value > this.#best + minDelta) {
      this.#best = value;
      this.#waited = 0;
      return;
    }
    this.#waited += 1;
    if (this.#waited >= patience) run.stop(`validation ${monitor} did not improve for ${patience} epochs`);
  }

  state(): unknown {
    return { best: this.#best, waited: this.#waited };
  }

  restore(state: unknown): void {
    const { best, waited } = state as { best: number | null; waited: number };
    this.#best = best;
    this.#waited = waited;
  }
}
