// The chapter's training function (Dive into Deep Learning, `train_ch5`).
import { record } from '../autograd/tape.js';
import type { Device } from '../device.js';
import { NumericError } from '../errors.js';
import { clearPrograms, gently } from '../graph/deferral.js';
import { SoftmaxCrossEntropyLoss } from '../loss/index.js';
import { Block } from '../nn/block.js';
import { checkBoolean, checkInteger, checkOptions } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Batches, checkDevice, forEachBatch, type Network } from './batches.js';
import { evaluateAccuracy } from './evaluate.js';
import { type BatchEvent, type EpochRecord, epochLine, type History } from './history.js';
import { type BatchResult, correctCount, OneLate, readBatch, Totals } from './metrics.js';

export interface TrainOptions {
  /** Called after each step, for progress bars. */
  onBatch?: (event: BatchEvent) => void;
  /** Called after each epoch. */
  onEpoch?: (record: EpochRecord) => void;
  /** Stops between two steps; the history then has `aborted: true` and the complete epochs alone. */
  signal?: AbortSignal;
  /** Whether each step runs as one program (see `Block.hybridize`), with the same results. Default true. */
  capture?: boolean;
  /** Where the chapter's lines go. Default console.log. */
  log?: (line: string) => void;
}

/** What training needs of an optimiser: the update with gradients / batchSize. */
export interface Stepper {
  step(batchSize: number): void;
}

/** One run: what its steps share. */
interface Run {
  net: Network;
  batchSize: number;
  trainer: Stepper;
  device: Device;
  loss: SoftmaxCrossEntropyLoss;
  options: TrainOptions;
}

/**
 * Trains a classifier with softmax cross-entropy, evaluating it after each epoch, and prints the chapter's lines.
 * The network's parameters must be on `device`; batches are moved there. Each step divides the gradients by `batchSize`, also the
 * step of a last batch that is smaller, as the chapter does. Throws NumericError when the loss becomes NaN or infinite.
 */
export async function trainCh5(
  net: Network,
  trainIter: Batches,
  testIter: Batches,
  batchSize: number,
  trainer: Stepper,
  device: Device,
  numEpochs: number,
  options: TrainOptions = {},
): Promise<History> {
  checkDevice('trainCh5', device);
  checkInteger('trainCh5()', 'batchSize', batchSize, 1);
  checkInteger('trainCh5()', 'numEpochs', numEpochs, 0);
  checkOptions('trainCh5()', options, ['onBatch', 'onEpoch', 'signal', 'capture', 'log']);
  const capture = checkBoolean('trainCh5()', 'capture', options.capture ?? true);
  if (!capture || !(net instanceof Block) || net.hybridized)
    return runEpochs(net, trainIter, testIter, batchSize, trainer, device, numEpochs, options);
  net.hybridize();
  try {
    return await runEpochs(net, trainIter, testIter, batchSize, trainer, device, numEpochs, options);
  } finally {
    net.hybridize(false);
    clearPrograms();
  }
}

async function runEpochs(
  net: Network,
  trainIter: Batches,
  testIter: Batches,
  batchSize: number,
  trainer: Stepper,
  device: Device,
  numEpochs: number,
  options: TrainOptions,
): Promise<History> {
  const { log = console.log, onEpoch, signal } = options;
  const run: Run = { net, batchSize, trainer, device, loss: new SoftmaxCrossEntropyLoss(), options };
  const history: History = { device: device.name, batchSize, epochs: [], aborted: false };
  log(`training on ${device}`);
  for (let epoch = 1; epoch <= numEpochs; epoch++) {
    const start = performance.now();
    const totals = await trainEpoch(run, trainIter, epoch);
    const trainSeconds = secondsSince(start);
    const testAccuracy = signal?.aborted ? Number.NaN : await evaluateAccuracy(testIter, net, device, { signal });
    if (signal?.aborted) {
      history.aborted = true;
      break;
    }
    const result: EpochRecord = {
      epoch,
      loss: totals.loss,
      trainAccuracy: totals.accuracy,
      testAccuracy,
      seconds: secondsSince(start),
      imagesPerSecond: totals.images / trainSeconds,
    };
    history.epochs.push(result);
    log(epochLine(result));
    onEpoch?.(result);
  }
  return history;
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

async function trainEpoch(run: Run, trainIter: Batches, epoch: number): Promise<Totals> {
  const { onBatch, signal } = run.options;
  const start = performance.now();
  const batches = trainIter.length;
  const totals = new Totals();
  let batch = 0;
  const results = new OneLate<BatchResult>((result) => {
    batch += 1;
    checkLoss(result.lossSum, epoch, batch);
    totals.add(result);
    onBatch?.({
      epoch,
      batch,
      batches,
      loss: totals.loss,
      accuracy: totals.accuracy,
      images: totals.images,
      seconds: secondsSince(start),
    });
  });
  await forEachBatch('trainCh5', trainIter, run.device, async (X, y) => {
    if (signal?.aborted) return false;
    const [lossSum, correct] = await trainStep(run, X, y);
    await results.push(readBatch(y.size, correct, lossSum));
    return true;
  });
  await results.flush();
  return totals;
}

/** Enqueues forward, backward and update. The promise gives the batch's loss and how many are correct, to be read. */
async function trainStep({ net, loss, trainer, batchSize }: Run, X: Tensor, y: Tensor): Promise<[Tensor, Tensor]> {
  const [yHat, l] = record((): [Tensor, Tensor] => {
    const scores = net.forward(X); // [batch, classes]
    return [scores, loss.forward(scores, y)]; // [batch]
  });
  try {
    l.backward();
    await gently(() => trainer.step(batchSize));
    return tidy((): [Tensor, Tensor] => [l.sum(), correctCount(yHat, y)]);
  } finally {
    yHat.dispose();
    l.dispose();
  }
}

function checkLoss(lossSum: number, epoch: number, step: number): void {
  if (Number.isFinite(lossSum)) return;
  throw new NumericError(
    `The loss became ${lossSum} in epoch ${epoch}, step ${step}; a smaller learning rate may help.`,
    { epoch, step },
  );
}
