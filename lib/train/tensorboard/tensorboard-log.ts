// What TensorBoard shows of a run of `fit`: curves, histograms of parameters, training images, the confusion matrix.
import type { DataLoader } from '../../data/data-loader.js';
import { ConfigError } from '../../errors.js';
import { checkBoolean, checkInteger, checkOptions } from '../../options.js';
import { memory } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ClassificationMetrics, isFigure } from '../confusion.js';
import type { FitBatch, FitEpoch, FitHandler, FitNumericProblem } from '../fit-handlers.js';
import type { FitRun } from '../fit-run.js';
import { EventWriter } from './event-writer.js';
import { graphDef } from './graph-def.js';
import { thinned } from './histogram.js';
import { confusionPicture, imageGrid } from './pictures.js';

export interface TensorBoardOptions {
  /** Optimiser steps between two points of a curve. Default 10. */
  everySteps?: number;
  /** Whether weights and gradients are written as histograms after each epoch. Default true. */
  histograms?: boolean;
  /** The most values of a parameter that a histogram counts; of larger ones so many, evenly spaced. Default 65,536. */
  histogramValues?: number;
  /** Whether the first batch of training images and the confusion matrices are written. Default true. */
  images?: boolean;
  /** Whether the net's graph is written: what it computes in prediction. Default true. */
  graph?: boolean;
}

/**
 * Writes event files for TensorBoard. Against optimiser steps: at the first and every few steps `loss/train` (of that step), `learning-rate`,
 * `images-per-second` and `memory/...` (MB of 10^6 bytes); after each epoch `accuracy/train`, `loss/validation`, `accuracy/validation`,
 * `accuracy/validation-top5`, `confusion` (where that loss is not finite these three are left out), and `weights/...` and `gradients/...` (of
 * the last step, mean over its images) of every parameter.
 * Once, where they are known: `images/train` as they enter the net, the net's graph, and `config` (that of `checkpoint`).
 * With each checkpoint the file is written to the disk, so that curves up to it outlast a crash of the machine.
 * A resumed run begins a file of its own, which hides what earlier ones have after the step it goes on from.
 */
export class TensorBoardLog implements FitHandler {
  readonly #folder: string;
  readonly #options: Required<TensorBoardOptions>;
  #writer: EventWriter | null = null;
  /** Since the last point of a curve, in this epoch. */
  #images = 0;
  #since = 0;
  #lastStepImages = 1;
  #isFirstStep = true;

  /** `folder`: where the event files come to lie. Throws ConfigError. */
  constructor(folder: string, options: TensorBoardOptions = {}) {
    const where = 'TensorBoardLog';
    if (typeof folder !== 'string' || folder === '')
      throw new ConfigError('TensorBoardLog expected folder to be a path.', { argument: 'folder', found: folder });
    checkOptions(where, options, ['everySteps', 'histograms', 'histogramValues', 'images', 'graph']);
    this.#folder = folder;
    this.#options = {
      everySteps: checkInteger(where, 'everySteps', options.everySteps ?? 10, 1),
      histograms: checkBoolean(where, 'histograms', options.histograms ?? true),
      histogramValues: checkInteger(where, 'histogramValues', options.histogramValues ?? 65_536, 1),
      images: checkBoolean(where, 'images', options.images ?? true),
      graph: checkBoolean(where, 'graph', options.graph ?? true),
    };
  }

  async trainBegin(run: FitRun): Promise<void> {
    const { step, options } = run;
    this.#isFirstStep = true;
    this.#writer = await EventWriter.open(this.#folder, { firstStep: step === 0 ? 0 : step + 1 });
    const config = options.checkpoint?.config;
    if (step === 0 && config !== undefined) this.#writer.text('config', asCode(config), 0);
    if (step === 0 && (this.#options.images || this.#options.graph)) await this.#writeFirstBatch(run);
    await this.#writer.flush();
  }

  epochBegin(): void {
    this.#images = 0;
    this.#since = 0;
  }

  async batchEnd(_run: FitRun, batch: FitBatch): Promise<void> {
    this.#images += batch.images;
    this.#lastStepImages = batch.images;
    // TensorBoard's fast loader knows a restart by steps that go back alone: the first step must be there, whatever `everySteps`.
    if (!this.#isFirstStep && batch.step % this.#options.everySteps !== 0) return;
    this.#isFirstStep = false;
    const perSecond = this.#images / (batch.seconds - this.#since);
    this.#images = 0;
    this.#since = batch.seconds;
    await this.#writeScalars(batch.step, {
      'loss/train': batch.stepLoss,
      'learning-rate': batch.learningRate,
      'images-per-second': perSecond,
      'memory/process-MB': process.memoryUsage.rss() / 1e6,
      'memory/tensors-MB': memory().bytes / 1e6,
    });
  }

  async numericProblem(_run: FitRun, { step, loss, layer, action }: FitNumericProblem): Promise<void> {
    this.#writer?.text(
      'numeric-problem',
      `The loss became ${loss} in step ${step}, first in \`${layer}\`: ${action}.`,
      step,
    );
    await this.#writer?.flush();
  }

  async epochEnd(run: FitRun, epoch: FitEpoch): Promise<void> {
    const { step, trainAccuracy, validation } = epoch;
    const figures = validation && isFigure(validation) ? validation : null;
    if (this.#options.histograms) await this.#writeHistograms(run);
    if (this.#options.images && figures) {
      const names = classNamesOf(run.options.validation, figures);
      this.#writer?.image('confusion', await confusionPicture(figures.confusion, names), step);
    }
    await this.#writeScalars(step, {
      'accuracy/train': trainAccuracy,
      ...(validation && { 'loss/validation': validation.loss }),
      ...(figures && { 'accuracy/validation': figures.top1, 'accuracy/validation-top5': figures.top5 }),
    });
  }

  async checkpointSaved(): Promise<void> {
    await this.#writer?.sync();
  }

  async trainEnd(): Promise<void> {
    await this.#writer?.flush();
    this.#writer = null;
  }

  async #writeScalars(step: number, values: Record<string, number>): Promise<void> {
    for (const [tag, value] of Object.entries(values)) this.#writer?.scalar(tag, value, step);
    await this.#writer?.flush();
  }

  async #writeHistograms({ net, step }: FitRun): Promise<void> {
    const { histogramValues } = this.#options;
    for (const [name, parameter] of net.collectParams()) {
      if (!parameter.trainable || !parameter.initialized) continue;
      const weights = parameter.data();
      this.#writer?.histogram(`weights/${name}`, await weights.data(), step, histogramValues);
      const { grad } = weights;
      if (!grad) continue;
      const divisor = this.#lastStepImages * grad.lossScale;
      const values = thinned(await grad.data(), histogramValues).map((value) => value / divisor);
      this.#writer?.histogram(`gradients/${name}`, values, step);
    }
  }

  /** The first batch, made once more for it. Iterables that may give each batch but once are left alone. */
  async #writeFirstBatch(run: FitRun): Promise<void> {
    const { train } = run.options;
    const batches = run.remainingBatches();
    const isLoader = batches !== train;
    if (!isLoader && !Array.isArray(train)) return;
    for await (const [X, y] of batches) {
      if (this.#options.images) await this.#writeImages(X, isLoader ? (train as Partial<DataLoader>) : {});
      if (this.#options.graph) await this.#writeGraph(run, X.shape);
      if (isLoader) for (const tensor of [X, y]) tensor.dispose();
      return;
    }
  }

  /** Of a net whose forward cannot be recorded there is none. */
  async #writeGraph({ net, device, options }: FitRun, inputShape: readonly number[]): Promise<void> {
    try {
      this.#writer?.graph(await graphDef(net, inputShape, device));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      options.warn(`TensorBoard gets no graph of the net: ${error.message}`);
    }
  }

  /** X [batch, channels, height, width]; inputs of another kind are no images. */
  async #writeImages(X: Tensor, { normalization = null }: Partial<Pick<DataLoader, 'normalization'>>): Promise<void> {
    if (X.shape.length !== 4) return;
    const shape = X.shape as [number, number, number, number];
    this.#writer?.image('images/train', imageGrid({ values: await X.data(), shape, normalization }), 0);
  }
}

/** Names of as many classes as were evaluated, where the data set has them. */
function classNamesOf(batches: unknown, { confusion }: ClassificationMetrics): readonly string[] | null {
  const names = (batches as { dataset?: { classNames?: readonly string[] } } | undefined)?.dataset?.classNames;
  return names?.length === confusion.length ? names : null;
}

/** JSON as a block of code in Markdown. */
function asCode(config: unknown): string {
  return JSON.stringify(config, null, 2).replace(/^/gm, '    ');
}
