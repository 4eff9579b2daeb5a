// What a training run reports: events while it runs, the history afterwards.

/** After each training step. Values arrive one step late, when the device has computed them. */
export interface BatchEvent {
  /** Counted from 1. */
  epoch: number;
  /** Batch of the epoch, counted from 1. */
  batch: number;
  /** Batches of the epoch; undefined where the iterable does not tell. */
  batches: number | undefined;
  /** Mean loss of an image, over the epoch so far. */
  loss: number;
  /** Accuracy on the training images, over the epoch so far, from 0 to 1. */
  accuracy: number;
  /** Images of the epoch so far. */
  images: number;
  /** Seconds since the epoch began. */
  seconds: number;
}

/** One epoch, after its evaluation. */
export interface EpochRecord {
  /** Counted from 1. */
  epoch: number;
  /** Mean loss of an image, each computed before the update that its batch led to. */
  loss: number;
  /** Accuracy on the training batches as they came, in training mode, from 0 to 1. */
  trainAccuracy: number;
  /** Accuracy on the test images after the epoch, from 0 to 1. */
  testAccuracy: number;
  /** Seconds for training and test evaluation together, as in the chapter's function. */
  seconds: number;
  /** Training images a second, evaluation not counted. */
  imagesPerSecond: number;
}

/** A whole run. Plain data: `JSON.stringify` keeps all of it. */
export interface History {
  device: string;
  batchSize: number;
  /** The complete epochs. */
  epochs: EpochRecord[];
  /** Whether the run was stopped by its signal. */
  aborted: boolean;
}

/** The chapter's line for an epoch: 'epoch 1, loss 0.4856, train acc 0.831, test acc 0.886, time 60.2 sec' */
export function epochLine({ epoch, loss, trainAccuracy, testAccuracy, seconds }: EpochRecord): string {
  const accuracies = `train acc ${trainAccuracy.toFixed(3)}, test acc ${testAccuracy.toFixed(3)}`;
  return `epoch ${epoch}, loss ${loss.toFixed(4)}, ${accuracies}, time ${seconds.toFixed(1)} sec`;
}
