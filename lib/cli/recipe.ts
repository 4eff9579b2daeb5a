// The chapter's recipe, how much work it is, and how to run it.
import type { TrainConfig } from '../config/train-config.js';
import { publishedRun } from '../train/report/published.js';
import { trainCommandLine } from './command-line.js';

/** How the chapter's net is trained. */
export interface Recipe {
  /** Side of the images in pixels. */
  resize: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
}

/** Side of Fashion-MNIST's images as they are. */
export const nativeSize = 28;
export const trainingImages = 60_000;
export const testImages = 10_000;

/** The chapter's own. */
export const chapterRecipe: Recipe = {
  resize: publishedRun.resize,
  epochs: publishedRun.epochs,
  batchSize: publishedRun.batchSize,
  learningRate: publishedRun.learningRate,
};

/** What a config has of a recipe. */
export function recipeOf({ data, epochs, batchSize, optimizer }: TrainConfig): Recipe {
  return { resize: data.size, epochs, batchSize, learningRate: optimizer.learningRate };
}

/** [channels in, channels out, kernel side, stride relative to the input of the net] of the chapter's convolutions. */
const convolutions: readonly (readonly [number, number, number, number])[] = [
  [1, 64, 7, 2],
  ...Array.from({ length: 4 }, () => [64, 64, 3, 4] as const),
  ...[128, 256, 512].flatMap((channels, i) => {
    const stride = 8 * 2 ** i;
    return [
      [channels / 2, channels, 3, stride],
      [channels / 2, channels, 1, stride],
      ...Array.from({ length: 3 }, () => [channels, channels, 3, stride] as const),
    ] as const;
  }),
];

/** Multiply-adds of the chapter's ResNet-18 for one image of `size` x `size` pixels, forward (convolutions; the rest is under 1%). */
export function multiplyAdds(size: number): number {
  return convolutions.reduce((sum, [from, to, kernel, stride]) => {
    const side = Math.ceil(size / stride);
    return sum + side * side * from * to * kernel * kernel;
  }, 0);
}

/**
 * Seconds that the chapter's full recipe would take, from the training speed measured at another image size: the same speed in
 * multiply-adds a second is assumed, and evaluation at a third of training's work per image (no backward pass).
 */
export function fullRecipeSeconds(imagesPerSecond: number, measuredSize: number): number {
  const speed = (imagesPerSecond * multiplyAdds(measuredSize)) / multiplyAdds(chapterRecipe.resize);
  return (chapterRecipe.epochs * (trainingImages + testImages / 3)) / speed;
}

/** The command of the full recipe, as a person would type it here. */
export function fullRecipeCommand(): string {
  return trainCommandLine('--resize', String(chapterRecipe.resize), '--epochs', String(chapterRecipe.epochs));
}
