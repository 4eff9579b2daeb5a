// Runs a net over labelled images: mean loss, accuracy, accuracy per class, and what it takes each image for.
import type { DataLoader } from '../data/data-loader.js';
import { SoftmaxCrossEntropyLoss } from '../loss/index.js';
import type { Block } from '../nn/index.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

export interface Evaluation {
  images: number;
  /** Mean cross-entropy. */
  loss: number;
  /** Share of images classified correctly. */
  accuracy: number;
  /** By class number; `images` counts those that belong to it. */
  perClass: { name: string; images: number; correct: number }[];
  /** The class number that the net gives each image, in the loader's order. */
  predicted: number[];
}

/** Evaluates `net` on the images of `loader`, which must not be shuffled. `onBatch` gets the number of images done. */
export async function evaluate(
  net: Block,
  loader: DataLoader,
  onBatch: (images: number) => void = () => {},
): Promise<Evaluation> {
  const { labels, classNames } = loader.dataset;
  const predicted: number[] = [];
  let lossSum = 0;
  for await (const [x, y] of loader) {
    const batch = await evaluateBatch(net, x, y);
    lossSum += batch.losses.reduce((sum, loss) => sum + loss, 0);
    predicted.push(...batch.predicted);
    onBatch(predicted.length);
  }
  const perClass = classNames.map((name) => ({ name, images: 0, correct: 0 }));
  predicted.forEach((guess, i) => {
    const entry = perClass[labels[i] as number];
    if (!entry) return;
    entry.images += 1;
    if (guess === labels[i]) entry.correct += 1;
  });
  const images = predicted.length;
  const correct = predicted.filter((guess, i) => guess === labels[i]).length;
  return { images, loss: lossSum / images, accuracy: correct / images, perClass, predicted };
}

/** x: [batch, channels, height, width], y: [batch]; both are disposed. */
async function evaluateBatch(net: Block, x: Tensor, y: Tensor): Promise<{ losses: number[]; predicted: number[] }> {
  const [losses, predicted] = tidy(() => {
    const logits = net.forward(x); // [batch, classes]
    return [new SoftmaxCrossEntropyLoss().forward(logits, y), logits.argmax(1)] as const;
  });
  try {
    return { losses: [...(await losses.data())], predicted: [...(await predicted.data())] };
  } finally {
    for (const tensor of [x, y, losses, predicted]) tensor.dispose();
  }
}
