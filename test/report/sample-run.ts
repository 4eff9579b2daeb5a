// Made-up runs for the tests of reports and comparisons: a record and its metrics.jsonl.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '../../lib/cli/run-record.js';
import type { TrainConfig } from '../../lib/config/train-config.js';
import type { Mistake } from '../../lib/report/index.js';
import type { ClassificationMetrics, FitEpoch } from '../../lib/train/index.js';

export interface SampleOptions {
  classNames?: readonly string[];
  epochs?: number;
  /** Without it no epoch has a validation. */
  validated?: boolean;
  /** Added to every accuracy. */
  better?: number;
}

const fashion = ['t-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'];

export function sampleRecord(options: SampleOptions = {}): RunRecord {
  const { classNames = fashion, epochs = 8, validated = true, better = 0 } = options;
  return {
    model: 'cifar-resnet20',
    data: 'Fashion-MNIST',
    net: {
      model: 'cifar-resnet20',
      classes: classNames.length,
      inputShape: [1, 28, 28],
      resize: 28,
      classNames,
      normalization: { mean: [0.286], std: [0.353] },
    },
    config: { ...sampleConfig(epochs), device: 'cpu', precision: 'float32' },
    environment: {
      residua: '0.1.0',
      node: '20.20.2',
      system: 'linux x64 6.1.0',
      processor: 'AMD EPYC 9R14',
      cores: 2,
      memoryBytes: 16 * 2 ** 30,
      device: 'cpu',
      backend: { library: 'oneDNN 2.6.3', threads: '2' },
    },
    started: '2026-03-01T09:05:07.000Z',
    seconds: 61.5 * epochs,
    skippedSteps: 0,
    interrupted: false,
    stopped: null,
    parameters: 269_722,
    trainImages: 60_000,
    testImages: validated ? 100 * classNames.length : 0,
    peakMemory: 812 * 2 ** 20,
    epochs: Array.from({ length: epochs }, (_, i) => sampleEpoch(i + 1, classNames.length, validated, better)),
  };
}

function sampleEpoch(epoch: number, classes: number, validated: boolean, better: number): FitEpoch {
  const accuracy = 0.92 - 0.2 / epoch + better;
  return {
    epoch,
    step: epoch * stepsOfEpoch,
    loss: 0.15 + 0.6 / epoch,
    trainAccuracy: accuracy + 0.02,
    validation: validated ? sampleValidation(classes, accuracy) : null,
    learningRate: 0.1 / epoch,
    seconds: 61.5,
  };
}

/** 100 images of each class: most are right, the others are taken for the next two classes. */
export function sampleValidation(classes: number, accuracy: number): ClassificationMetrics {
  const confusion = Array.from({ length: classes }, (_, i) => {
    const row = new Array<number>(classes).fill(0);
    const right = Math.min(100, Math.round(100 * accuracy) - (i % 4) * 3 + 4);
    const next = Math.ceil((100 - right) / 2);
    for (const [j, images] of [right, next, 100 - right - next].entries()) row[(i + j) % classes]! += images;
    return row;
  });
  const column = (j: number) => confusion.reduce((sum, row) => sum + row[j]!, 0);
  const right = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return {
    images: 100 * classes,
    loss: 1 - accuracy + 0.2,
    top1: right / (100 * classes),
    top5: (right / (100 * classes) + 1) / 2,
    classes: confusion.map((row, j) => ({
      precision: column(j) === 0 ? null : row[j]! / column(j),
      recall: row[j]! / 100,
      images: 100,
    })),
    confusion,
  };
}

export const stepsOfEpoch = 469;

/** The lines of metrics.jsonl: `steps` steps of 128 images, 0.125 s each. */
export function sampleMetrics(steps: number): string[] {
  return Array.from({ length: steps }, (_, i) => {
    const [step, batch] = [i + 1, (i % stepsOfEpoch) + 1];
    const wobble = Math.sin(step * 12.9898) * 0.1;
    return JSON.stringify({
      event: 'step',
      epoch: Math.floor(i / stepsOfEpoch) + 1,
      batch,
      batches: stepsOfEpoch,
      step,
      stepLoss: 0.2 + 2 / (1 + step / 80) + wobble,
      loss: 0.2 + 2 / (1 + step / 80),
      accuracy: 0.8,
      learningRate: Math.min(1, step / 400) * 0.05 * (1 + Math.cos((Math.PI * step) / steps)),
      images: 128,
      seconds: batch * 0.125,
    });
  });
}

/** A picture with a bright square in a corner. */
export function sampleMistake(channels: 1 | 3, actual: number, predicted: number, side = 28): Mistake {
  const pixels = new Uint8Array(side * side * channels);
  for (let y = 0; y < side / 2; y++)
    for (let x = 0; x < side / 2; x++)
      for (let c = 0; c < channels; c++) pixels[(y * side + x) * channels + c] = 255 - c * 100;
  return { pixels, width: side, height: side, channels, actual, predicted, probability: 0.987 };
}

export function writeRun(folder: string, record: object, metrics: readonly string[] = []): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'history.json'), JSON.stringify(record));
  if (metrics.length > 0) writeFileSync(join(folder, 'metrics.jsonl'), metrics.map((line) => `${line}\n`).join(''));
  return folder;
}

function sampleConfig(epochs: number): TrainConfig {
  return {
    model: 'cifar-resnet20',
    modelOptions: {},
    weights: null,
    data: {
      name: 'fashion-mnist',
      root: null,
      size: 28,
      validation: null,
      limit: null,
      balanced: false,
      workers: 0,
      onBroken: 'error',
      download: false,
    },
    augment: { flip: true, crop: 2, randomResizedCrop: null, colorJitter: null, cutout: null },
    normalize: 'dataset',
    epochs,
    batchSize: 128,
    accumulate: 1,
    optimizer: {
      name: 'sgd',
      learningRate: 0.1,
      momentum: 0.9,
      nesterov: true,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 5e-4,
      decayNorm: true,
      clipNorm: null,
    },
    schedule: { name: 'cosine', warmup: 1, warmupFrom: 0, at: null, factor: 0.1, power: 1, final: 0 },
    labelSmoothing: 0.1,
    mixup: null,
    averageDecay: null,
    earlyStopping: null,
    onNan: 'stop',
    device: 'cpu',
    precision: 'float32',
    seed: 0,
    tune: true,
    checkpoint: { keepLast: 2, everySteps: null, everyEpochs: 1 },
    tensorboard: false,
  };
}

/** history.json of a run before version 0.2: another config, other epochs. */
export function earlierRecord(): object {
  const { net, environment, started } = sampleRecord();
  return {
    model: "the chapter's ResNet-18",
    data: 'Fashion-MNIST',
    net,
    config: {
      resize: 28,
      epochs: 3,
      batchSize: 256,
      learningRate: 0.05,
      optimizer: 'sgd',
      initializer: 'Xavier',
      device: 'cpu',
      precision: 'float32',
      seed: 0,
      trainImages: 60_000,
      testImages: 10_000,
    },
    environment,
    started,
    seconds: 86,
    skippedSteps: 0,
    interrupted: true,
    epochs: [
      { epoch: 1, loss: 0.6, trainAccuracy: 0.8, testAccuracy: 0.875, seconds: 30, imagesPerSecond: 2000 },
      { epoch: 2, loss: 0.4, trainAccuracy: 0.86, testAccuracy: 0.85, seconds: 30, imagesPerSecond: 2000 },
    ],
  };
}
