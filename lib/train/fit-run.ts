// A run of `fit`: where it stands, its checkpoints, its events.
import type { Device } from '../device.js';
import { CheckpointError, ConfigError } from '../errors.js';
import type { Block } from '../nn/block.js';
import type { Trainer } from '../optim/index.js';
import { randomState, setRandomState } from '../tensor/random.js';
import { firstBadParameter } from './all-finite.js';
import type { Batch, Batches } from './batches.js';
import type { FitState, Trained } from './checkpoint.js';
import { CheckpointFolder } from './checkpoint-folder.js';
import { isFigure } from './confusion.js';
import type { FitEpoch, FitHandler, FitHistory } from './fit-handlers.js';
import type { CheckedFitOptions } from './fit-options.js';
import type { BatchResult } from './metrics.js';
import { ModelAverage } from './model-average.js';

/** A DataLoader, as far as a resumption needs it. */
interface EpochBatches {
  epoch: number;
  batchSize: number;
  dataset: { readonly length: number };
  random: { readonly seed: number; readonly stream: number };
  /** The batch after the one given last. */
  readonly place: number;
  from(batch: number): AsyncIterable<Batch>;
}

const hasEpochs = (batches: object): batches is EpochBatches => 'epoch' in batches && 'from' in batches;

type EventName = Exclude<keyof FitHandler, 'name' | 'state' | 'restore'>;

/** What handlers see of a run. */
export class FitRun implements Trained {
  readonly net: Block;
  readonly trainer: Trainer;
  readonly options: CheckedFitOptions;
  readonly device: Device;
  /** Averaged weights; null where none are kept. */
  readonly average: ModelAverage | null;
  /** Complete epochs. */
  epoch = 0;
  /** Batches of the epoch under way that were used, or passed over by the loader. */
  batch = 0;
  /** Optimiser steps since the beginning of training. */
  step = 0;
  /** Steps in a row that were left out because of their loss. */
  badSteps = 0;
  totals = { images: 0, lossSum: 0, correct: 0 };
  epochs: FitEpoch[] = [];
  /** Why a handler ended the run; null where none did. */
  stopped: string | null = null;
  lastCheckpoint: string | null = null;
  readonly #checkpoints: CheckpointFolder | null;
  #loaderEpoch: number | null;
  /** Name of the checkpoint that was gone back to last. */
  #rolledBackTo: string | null = null;

  constructor(net: Block, trainer: Trainer, options: CheckedFitOptions) {
    this.net = net;
    this.trainer = trainer;
    this.options = options;
    this.device = options.device;
    const { averageDecay, checkpoint, train } = options;
    this.average = averageDecay === undefined ? null : new ModelAverage(net.collectParams(), averageDecay);
    this.#checkpoints = checkpoint ? new CheckpointFolder(checkpoint.folder, checkpoint.keepLast ?? 3) : null;
    this.#loaderEpoch = hasEpochs(train) ? train.epoch : null;
  }

  /** Batches of an epoch; null where the iterable does not tell. */
  get batches(): number | null {
    return this.options.train.length ?? null;
  }

  get isDone(): boolean {
    return this.epoch >= this.options.epochs || this.isEnding;
  }

  /** Whether the run is to end after the step under way. */
  get isEnding(): boolean {
    return this.stopped !== null || (this.options.signal?.aborted ?? false);
  }

  /** Ends the run after the step or epoch under way. For handlers. */
  stop(reason: string): void {
    this.stopped ??= reason;
  }

  /** Tells the handlers of an event, one after another. */
  async emit<N extends EventName>(
    event: N,
    ...facts: Parameters<NonNullable<FitHandler[N]>> extends [FitRun, ...infer Rest] ? Rest : never
  ): Promise<void> {
    for (const handler of this.options.handlers)
      await (handler[event] as ((run: FitRun, ...rest: unknown[]) => unknown) | undefined)?.call(
        handler,
        this,
        ...facts,
      );
  }

  add({ images, lossSum, correct }: BatchResult): void {
    this.totals.images += images;
    this.totals.lossSum += lossSum;
    this.totals.correct += correct;
  }

  /** So many batches more are used. A loader passes over those that have no images. */
  advance(batches: number): void {
    const { train } = this.options;
    this.batch = hasEpochs(train) ? train.place : this.batch + batches;
  }

  /** Whether the epoch under way has no batches left. */
  get isEpochUsed(): boolean {
    return this.batch > 0 && this.batches !== null && this.batch >= this.batches;
  }

  /**
   * Adds a complete epoch. Confusion matrices of the best epoch and of this one alone are kept: of a thousand classes each is a million
   * numbers.
   */
  addEpoch(epoch: FitEpoch): void {
    this.epochs.push(epoch);
    const score = ({ validation }: FitEpoch): number => (validation && isFigure(validation) ? validation.top1 : -1);
    const best = this.epochs.reduce((a, b) => (score(b) > score(a) ? b : a));
    this.epochs = this.epochs.map((each) => (each === best || each === epoch ? each : withoutConfusion(each)));
  }

  /** The batches of this epoch that are still to come. */
  remainingBatches(): Batches {
    const { train } = this.options;
    if (!hasEpochs(train)) return this.batch === 0 ? train : withoutFirst(train, this.batch);
    train.epoch = (this.#loaderEpoch as number) + this.epoch;
    return train.from(this.batch);
  }

  /** Prepares the folder; goes on from the newest whole checkpoint where that is asked for. */
  async open(): Promise<void> {
    await this.#checkpoints?.open();
    if (!this.options.resume) return await this.#checkpoints?.checkEmpty();
    const found = await this.#restoreNewest();
    if (found) this.#goOnFrom(found.state, found.path);
  }

  /**
   * Weights, optimiser and average of the newest checkpoint; the data go on where they are. For a second bad step in a row of the one before
   * that, and so on: its weights may be finite and lead to NaN all the same. The checkpoint's path; null where none is left.
   */
  async rollBack(): Promise<string | null> {
    const before = this.badSteps > 1 ? this.#rolledBackTo : null;
    const found = await this.#restoreNewest(before);
    if (!found) return null;
    this.#rolledBackTo = found.name;
    return found.path;
  }

  async #restoreNewest(before: string | null = null): ReturnType<CheckpointFolder['restoreNewest']> {
    const warn = ({ message }: CheckpointError): void =>
      this.options.warn(`A damaged checkpoint is passed over: ${message}`);
    const found = (await this.#checkpoints?.restoreNewest(this, warn, before)) ?? null;
    if (found) this.lastCheckpoint = found.path;
    return found;
  }

  #goOnFrom(state: FitState, path: string): void {
    this.#checkEpochs(state, path);
    this.#checkBatches(state);
    this.epoch = state.epoch;
    this.batch = state.batch;
    this.step = state.step;
    this.totals = { ...state.totals };
    this.epochs = [...state.history];
    this.#loaderEpoch = state.loaderEpoch;
    setRandomState(state.random);
    for (const handler of this.options.handlers)
      if (handler.name && handler.name in state.handlers) handler.restore?.(state.handlers[handler.name]);
  }

  /** What is trained cannot be taken back. */
  #checkEpochs({ epoch, batch }: FitState, path: string): void {
    const { epochs } = this.options;
    const begun = epoch + (batch > 0 ? 1 : 0);
    if (epochs >= begun) return;
    const whole = epoch === 1 ? '1 epoch' : `${epoch} epochs`;
    const trained = batch > 0 ? `${whole} and a part of the next` : whole;
    throw new ConfigError(
      `fit() expected epochs of at least ${begun}, for ${path} has trained ${trained}, got ${epochs}.`,
      {
        argument: 'epochs',
        expected: begun,
        found: epochs,
      },
    );
  }

  /** Other batches cannot go on with the same bits. */
  #checkBatches(state: FitState): void {
    const { train } = this.options;
    const found = { batchSize: hasEpochs(train) ? train.batchSize : null, isLoader: hasEpochs(train) };
    if (found.isLoader === (state.loaderEpoch !== null) && found.batchSize === state.batchSize) {
      this.#checkImages(state);
      this.#checkOrder(state);
      return;
    }
    throw new CheckpointError(
      `fit() expected training batches like those of the checkpoint, of ${state.batchSize ?? 'unknown'} images, got ${found.batchSize ?? 'unknown'}. Start again without resume, or give it the same batches.`,
      { expected: state.batchSize, found: found.batchSize },
    );
  }

  #checkImages({ images }: FitState): void {
    const { train } = this.options;
    if (images == null || !hasEpochs(train) || train.dataset.length === images) return;
    throw new CheckpointError(
      `fit() expected as many training images as the checkpoint tells of, ${images}, got ${train.dataset.length}: the data have changed. Give it the same data, or start again without resume.`,
      { expected: images, found: train.dataset.length },
    );
  }

  #checkOrder({ loaderRandom }: FitState): void {
    const { train } = this.options;
    if (!loaderRandom || !hasEpochs(train)) return;
    const { seed, stream } = train.random;
    if (seed === loaderRandom.seed && stream === loaderRandom.stream) return;
    throw new CheckpointError(
      `fit() expected a loader whose random numbers are those of the checkpoint (seed ${loaderRandom.seed}, stream ${loaderRandom.stream}), got seed ${seed}, stream ${stream}: its batches would come in another order. Give the DataLoader the same seed, or call seed() before it is made, as in the first run.`,
      { expected: loaderRandom.seed, found: seed },
    );
  }

  /**
   * Writes a checkpoint, where they are asked for. `score`: of a complete epoch, greater is better. Of weights that are not finite none is
   * written: it could not train on, and would take the place of one that can.
   */
  async save(score: number | null = null): Promise<void> {
    if (!this.#checkpoints) return;
    const bad = firstBadParameter(this.net.collectParams());
    if (bad !== null) {
      this.options.warn(`No checkpoint is written after step ${this.step}: '${bad}' has NaN or infinity.`);
      return;
    }
    this.lastCheckpoint = await this.#checkpoints.write(this, this.#state(score));
    await this.emit('checkpointSaved', this.lastCheckpoint);
  }

  #state(score: number | null): FitState {
    const { train, handlers, checkpoint } = this.options;
    const kept = handlers
      .filter(({ name, state }) => name && state)
      .map((handler) => [handler.name, handler.state?.()]);
    return {
      epoch: this.epoch,
      batch: this.batch,
      step: this.step,
      loaderEpoch: this.#loaderEpoch,
      batches: this.batches,
      batchSize: hasEpochs(train) ? train.batchSize : null,
      images: hasEpochs(train) ? train.dataset.length : null,
      loaderRandom: hasEpochs(train) ? train.random : null,
      random: randomState(),
      totals: this.totals,
      history: this.epochs,
      averageUpdates: this.average?.updates ?? 0,
      handlers: Object.fromEntries(kept),
      score,
      config: checkpoint?.config ?? null,
    };
  }

  get history(): FitHistory {
    const best = this.#checkpoints?.best;
    return {
      device: this.device.name,
      epochs: this.epochs,
      aborted: this.options.signal?.aborted ?? false,
      stopped: this.stopped,
      lastCheckpoint: this.lastCheckpoint,
      bestCheckpoint: best && this.#checkpoints ? `${this.#checkpoints.folder}/${best}` : null,
    };
  }
}

async function* withoutFirst(batches: Batches, count: number): AsyncGenerator<Batch> {
  let index = 0;
  for await (const [X, y] of batches) {
    // Batches that go through an async generator are disposed after use: those of an array are the caller's.
    if (index++ >= count) yield Symbol.asyncIterator in batches ? [X, y] : [X.detach(), y.detach()];
    else if (Symbol.asyncIterator in batches) for (const tensor of [X, y]) tensor.dispose();
  }
}

function withoutConfusion(epoch: FitEpoch): FitEpoch {
  return epoch.validation ? { ...epoch, validation: { ...epoch.validation, confusion: [] } } : epoch;
}
