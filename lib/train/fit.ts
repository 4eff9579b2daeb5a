// The full training loop; everything but the loop is in handlers and in the files beside this one.
import { NumericError } from '../errors.js';
import { clearPrograms } from '../graph/deferral.js';
import type { Block } from '../nn/block.js';
import type { Trainer } from '../optim/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { forEachBatch } from './batches.js';
import { isFigure } from './confusion.js';
import { evaluateClasses } from './evaluate-classes.js';
import type { FitHistory } from './fit-handlers.js';
import { checkFitOptions, type FitOptions } from './fit-options.js';
import { FitRun } from './fit-run.js';
import { BeforeStep, GradientSums, type PassResult, passBatch, settleShapes } from './fit-step.js';

/** So many bad steps in a row end a run that skips them or rolls back. */
const maxBadSteps = 10;

/**
 * Trains a classifier with softmax cross-entropy: evaluation after each epoch, checkpoints, handlers. A resumed run continues to the same
 * bits as an unbroken one, where net, trainer, loader and options are made as before. Each step divides the gradients by its images.
 * Throws ConfigError, CheckpointError, and NumericError (details: epoch, step, layer) after writing a checkpoint of before.
 */
export async function fit(net: Block, trainer: Trainer, options: FitOptions): Promise<FitHistory> {
  const run = new FitRun(net, trainer, checkFitOptions(net, trainer, options));
  const capture = run.options.capture && !net.hybridized;
  if (capture) net.hybridize();
  try {
    await run.open();
    await run.emit('trainBegin');
    try {
      while (!run.isDone) await fitEpoch(run);
    } finally {
      await run.emit('trainEnd', run.history);
    }
    return run.history;
  } finally {
    run.average?.dispose();
    if (capture) net.hybridize(false);
    if (capture) clearPrograms();
  }
}

async function fitEpoch(run: FitRun): Promise<void> {
  const start = performance.now();
  await run.emit('epochBegin');
  await fitSteps(run, start);
  if (run.isEnding) return await run.save();
  await endEpoch(run, start);
}

function isStepDue({ options, step }: FitRun): boolean {
  const every = options.checkpoint?.everySteps;
  return every !== undefined && step % every === 0;
}

/** The steps of an epoch. Checkpoints are written between two of them. */
async function fitSteps(run: FitRun, start: number): Promise<void> {
  const { accumulate } = run.options;
  if (run.isEpochUsed) return; // a run that ended after the last step of an epoch goes on here
  let step = new Step(run, start);
  try {
    const useBatch = async (X: Tensor, y: Tensor): Promise<boolean> => {
      await step.pass(X, y);
      if (step.count < accumulate) return true;
      const isMade = await step.finish();
      if (isMade && isStepDue(run) && !run.isEpochUsed) await run.save(); // the epoch's own comes after evaluation
      step.dispose();
      step = new Step(run, start);
      return !run.isEnding;
    };
    const isBegun = run.batch > 0; // what is left of it may be broken files alone
    await forEachBatch('fit', run.remainingBatches(), run.device, useBatch, isBegun);
    if (step.count > 0) await step.finish(); // the last batches of an epoch may be fewer
  } finally {
    step.dispose();
  }
}

async function endEpoch(run: FitRun, start: number): Promise<void> {
  const { validation, precision, checkpoint, epochs } = run.options;
  const evaluate = async () =>
    validation ? await evaluateClasses(validation, run.net, run.device, { precision }) : null;
  const metrics = await (run.average ? run.average.use(evaluate) : evaluate());
  const { images, lossSum, correct } = run.totals;
  run.epoch += 1;
  run.batch = 0;
  run.totals = { images: 0, lossSum: 0, correct: 0 };
  const record = {
    epoch: run.epoch,
    step: run.step,
    loss: lossSum / images,
    trainAccuracy: correct / images,
    validation: metrics,
    learningRate: run.trainer.learningRate,
    seconds: (performance.now() - start) / 1000,
  };
  run.addEpoch(record);
  await run.emit('epochEnd', record);
  const isDue =
    run.epoch % (checkpoint?.everyEpochs ?? 1) === 0 || run.epoch === epochs || run.isEnding || isStepDue(run);
  if (isDue) await run.save(metrics && isFigure(metrics) ? metrics.top1 : null);
}

/** One optimiser step under way: its batches so far. */
class Step {
  count = 0;
  #images = 0;
  #lossSum = 0;
  #bad: PassResult | null = null;
  #before: BeforeStep | null = null;
  readonly #results: PassResult[] = [];
  readonly #sums: GradientSums;
  readonly #run: FitRun;
  readonly #start: number;

  constructor(run: FitRun, start: number) {
    this.#run = run;
    this.#start = start;
    this.#sums = new GradientSums(run.net.collectParams(), run.options.accumulate);
  }

  async pass(X: Tensor, y: Tensor): Promise<void> {
    this.count += 1;
    if (this.#bad) return; // the step will not be made
    const run = this.#run;
    settleShapes(run, X);
    this.#before ??= new BeforeStep(run.net.collectParams());
    const result = await passBatch(run, [X, y], run.batch + this.count - 1, this.#sums);
    if (result.badLayer !== null) this.#bad = result;
    this.#results.push(result);
    this.#images += result.images;
    this.#lossSum += result.lossSum;
  }

  /** Makes the update. False where it was left out. */
  async finish(): Promise<boolean> {
    const run = this.#run;
    if (this.#bad) {
      this.#before?.restore();
      await this.#leaveOut(this.#bad);
      return false;
    }
    this.#sums.apply();
    run.trainer.step(this.#images);
    run.average?.update();
    run.advance(this.count);
    run.step += 1;
    run.badSteps = 0;
    for (const result of this.#results) run.add(result);
    await this.#tell();
    return true;
  }

  dispose(): void {
    this.#sums.dispose();
    this.#before?.dispose();
  }

  async #tell(): Promise<void> {
    const { epoch, batch, batches, step, totals, trainer } = this.#run;
    await this.#run.emit('batchEnd', {
      epoch: epoch + 1,
      batch,
      batches,
      step,
      stepLoss: this.#lossSum / this.#images,
      loss: totals.lossSum / totals.images,
      accuracy: totals.correct / totals.images,
      learningRate: trainer.learningRate,
      images: this.#images,
      seconds: (performance.now() - this.#start) / 1000,
    });
  }

  /** A checkpoint of before, then what `onNan` says. */
  async #leaveOut({ lossSum, images, badLayer }: PassResult): Promise<void> {
    const run = this.#run;
    const { onNan } = run.options;
    run.badSteps += 1;
    const isLast = run.badSteps >= maxBadSteps || onNan === 'stop';
    const checkpoint = isLast || onNan === 'skip' ? null : await rollBack(run);
    const action = isLast ? 'stop' : checkpoint === null ? 'skip' : 'rollback';
    const [epoch, batch, step] = [run.epoch + 1, run.batch + 1, run.step + 1];
    const [loss, layer] = [lossSum / images, badLayer as string];
    await run.emit('numericProblem', { epoch, batch, step, loss, layer, action, checkpoint });
    if (action === 'stop') {
      await run.save();
      const row = run.badSteps > 1 ? `, ${run.badSteps} times in a row` : '';
      const other = onNan === 'stop' ? ", or onNan 'skip' or 'rollback' (--on-nan)" : '';
      throw new NumericError(
        `The loss became ${loss} in epoch ${epoch}, step ${step}${row}; first in layer '${layer}'. A smaller learning rate may help${other}.`,
        { epoch, step, layer, loss, timesInARow: run.badSteps, checkpoint: run.lastCheckpoint },
      );
    }
    run.advance(this.count);
  }
}

/** The path of the checkpoint that is gone back to; null, with a warning, where there is none. */
async function rollBack(run: FitRun): Promise<string | null> {
  const path = await run.rollBack();
  if (path === null)
    run.options.warn(
      run.lastCheckpoint === null
        ? 'There is no checkpoint to roll back to yet.'
        : 'There is no older checkpoint to roll back to.',
    );
  return path;
}
