// Loss and accuracy over many batches: summed on the device, read a step late so that nobody waits for the device.
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** How many rows of the scores [batch, classes] are largest at their label [batch]: a scalar on the device. */
export function correctCount(scores: Tensor, labels: Tensor): Tensor {
  return tidy(() => scores.argmax(1).equal(labels).astype('float32').sum());
}

/** What was read of one batch. */
export interface BatchResult {
  /** Images of the batch. */
  images: number;
  /** Sum of the images' losses; 0 where none was computed. */
  lossSum: number;
  /** Images whose largest score is at their label. */
  correct: number;
}

/** Reads the scalars of a batch when they are there, and disposes them. */
export async function readBatch(images: number, correct: Tensor, lossSum?: Tensor): Promise<BatchResult> {
  try {
    const [right, loss] = await Promise.all([correct.data(), lossSum?.data()]);
    return { images, correct: right[0] as number, lossSum: loss ? (loss[0] as number) : 0 };
  } finally {
    correct.dispose();
    lossSum?.dispose();
  }
}

/** Sums over the batches read so far. */
export class Totals {
  images = 0;
  #lossSum = 0;
  #correct = 0;

  add(result: BatchResult): void {
    this.images += result.images;
    this.#lossSum += result.lossSum;
    this.#correct += result.correct;
  }

  /** Mean loss of an image. */
  get loss(): number {
    return this.#lossSum / this.images;
  }

  /** Fraction of images whose largest score is at their label. */
  get accuracy(): number {
    return this.#correct / this.images;
  }
}

/**
 * Lets one read be under way while the next batch is enqueued: `push` waits for the one before. So the device always has work,
 * and never more than two batches of it.
 */
export class OneLate<T> {
  #pending: Promise<T> | undefined;
  readonly #use: (result: T) => void;

  constructor(use: (result: T) => void) {
    this.#use = use;
  }

  async push(next: Promise<T>): Promise<void> {
    next.catch(() => {}); // told by the next push or flush
    const previous = this.#pending;
    this.#pending = next;
    if (previous) this.#use(await previous);
  }

  /** Waits for the last one. */
  async flush(): Promise<void> {
    const last = this.#pending;
    this.#pending = undefined;
    if (last) this.#use(await last);
  }
}
