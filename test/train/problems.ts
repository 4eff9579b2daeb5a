// A small classification problem for tests of training, and softmax regression in plain loops as its reference.
import { ArrayDataset, type Dataset } from '../../lib/data/index.js';
import { Dense } from '../../lib/nn/index.js';

/** n images of 1 x 2 x 2 pixels in three classes: the class's pixel is brighter than the rest. */
export function brightPixels(n: number): Dataset {
  const labels = Uint8Array.from({ length: n }, (_, i) => (i * 7) % 3);
  const images = Uint8Array.from({ length: 4 * n }, (_, i) => {
    const noise = (i * 37) % 90;
    return i % 4 === labels[Math.floor(i / 4)] ? 120 + noise : noise;
  });
  return new ArrayDataset({ images, labels, shape: [1, 2, 2], classNames: ['a', 'b', 'c'] });
}

const firstWeights = Array.from({ length: 12 }, (_, i) => Math.sin(i + 1) / 4); // [3, 4]

/** A linear classifier [n, 1, 2, 2] -> [n, 3] with fixed first weights. */
export function linearNet(): Dense {
  const net = new Dense(3, { inUnits: 4, useBias: true });
  net.initialize();
  net.weight.setData(Float32Array.from(firstWeights));
  return net;
}

export interface ReferenceEpoch {
  loss: number;
  accuracy: number;
}

/** Softmax regression by SGD in float64, batches in order; every step divides by `batchSize`, as Gluon's trainer does. */
export function referenceTraining(
  dataset: Dataset,
  batchSize: number,
  learningRate: number,
  epochs: number,
): ReferenceEpoch[] {
  const w = [...firstWeights];
  const b = [0, 0, 0];
  return Array.from({ length: epochs }, () => {
    let loss = 0;
    let correct = 0;
    for (let start = 0; start < dataset.length; start += batchSize) {
      const dw = new Array<number>(12).fill(0);
      const db = [0, 0, 0];
      for (let i = start; i < Math.min(start + batchSize, dataset.length); i++) {
        const x = [...dataset.images.subarray(4 * i, 4 * i + 4)].map((pixel) => pixel / 255);
        const label = dataset.labels[i] as number;
        const scores = b.map((bias, k) => x.reduce((sum, value, j) => sum + value * (w[4 * k + j] as number), bias));
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
        loss += Math.log(total) - (scores[label] as number);
        correct += Number(scores.indexOf(Math.max(...scores)) === label);
        for (let k = 0; k < 3; k++) {
          const delta = Math.exp(scores[k] as number) / total - Number(k === label);
          db[k] = (db[k] as number) + delta;
          for (let j = 0; j < 4; j++) dw[4 * k + j] = (dw[4 * k + j] as number) + delta * (x[j] as number);
        }
      }
      for (let i = 0; i < 12; i++) w[i] = (w[i] as number) - (learningRate * (dw[i] as number)) / batchSize;
      for (let k = 0; k < 3; k++) b[k] = (b[k] as number) - (learningRate * (db[k] as number)) / batchSize;
    }
    return { loss: loss / dataset.length, accuracy: correct / dataset.length };
  });
}
