// How fast a run trains and what memory it takes, from a few of its steps.
import type { Tensor } from '../../index.js';
import { evaluateClasses, type FitBatch, type FitHandler, type FitRun, fit as fitNet } from '../../train/index.js';
import type { Session } from './session.js';

/** Steps in which everything is set up, and those that are timed. */
const warmUpSteps = 3;
const timedSteps = 5;
/** Evaluation has a program of its own, and memory for it. */
const evaluatedBatches = 2;
/** Slow steps are few. */
const patienceMs = 20_000;

/** Makes a few steps of a run and evaluates a few batches, data included, and writes nothing. Training images a second. */
export async function measureSpeed({ net, trainer, fitOptions, train, validation, device }: Session): Promise<number> {
  const timer = new StepTimer();
  await fitNet(net, trainer, {
    ...fitOptions,
    train: endless(train),
    validation: undefined,
    epochs: 1,
    handlers: [timer],
  });
  const { precision, capture = true } = fitOptions;
  if (validation && capture) net.hybridize();
  if (validation) await evaluateClasses(first(validation, evaluatedBatches), net, device, { precision });
  return timer.imagesPerSecond;
}

async function* first(batches: NonNullable<Session['validation']>, count: number): AsyncGenerator<[Tensor, Tensor]> {
  let given = 0;
  for await (const batch of batches) {
    yield batch;
    given += 1;
    if (given === count) return;
  }
}

async function* endless(batches: Session['train']): AsyncGenerator<[Tensor, Tensor]> {
  for (;;) yield* batches;
}

class StepTimer implements FitHandler {
  imagesPerSecond = Number.NaN;
  readonly #begun = performance.now();
  #timedFrom: number | undefined;
  #steps = 0;
  #images = 0;

  batchEnd(run: FitRun, { images }: FitBatch): void {
    const now = performance.now();
    const isLong = now - this.#begun > patienceMs;
    this.#steps += 1;
    if (this.#timedFrom === undefined) {
      if (this.#steps >= warmUpSteps || isLong) this.#timedFrom = now;
      return;
    }
    this.#images += images;
    if (this.#steps < warmUpSteps + timedSteps && !isLong) return;
    this.imagesPerSecond = (this.#images / (now - this.#timedFrom)) * 1000;
    run.stop('The speed is known.');
  }
}
