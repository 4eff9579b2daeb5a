// What happens to the images of a config on their way into a batch.
import { ImageFiles } from '../data/image-files.js';
import { imageNetMargin, imageNetNormalization } from '../data/imagenet.js';
import type { LoaderDataset } from '../data/loader-options.js';
import type { Transform } from '../data/transforms/index.js';
import * as transforms from '../data/transforms/index.js';
import { ConfigError } from '../errors.js';
import type { Normalization } from '../interop/index.js';
import type { AugmentConfig, TrainConfig } from './train-config.js';

/**
 * Mean and standard deviation of each channel of all training images, divided by 255. Those of Fashion-MNIST and of the synthetic images are
 * computed by a test. The others are not computed here: MNIST's are those of PyTorch's examples, CIFAR's those that most public code
 * has, rounded to four digits (CIFAR-10's deviations are also found as 0.2023, 0.1994, 0.2010: means of each image's own).
 */
export const normalizations: Readonly<Record<string, Normalization>> = {
  'fashion-mnist': { mean: [0.286], std: [0.353] },
  mnist: { mean: [0.1307], std: [0.3081] },
  cifar10: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  cifar100: { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
  synthetic: { mean: [0.498, 0.498, 0.498], std: [0.204, 0.204, 0.204] },
};

/** What follows the division by 255; undefined for nothing. Throws ConfigError where it has other channels than the images. */
export function normalizationOf({ normalize, data }: TrainConfig, channels: number): Normalization | undefined {
  if (normalize === null) return undefined;
  const own = normalizations[data.name] ?? imageNetNormalization; // pictures in folders are like those of ImageNet
  const chosen = normalize === 'dataset' ? own : normalize === 'imagenet' ? imageNetNormalization : normalize;
  if (chosen.mean.length === channels) return chosen;
  throw new ConfigError(
    `The config: normalize: expected ${channels} values, one a channel of ${data.name}, got ${chosen.mean.length}.`,
    { argument: 'normalize', expected: channels, found: chosen.mean.length },
  );
}

/** Pixels of the shorter side of an image before its middle is cut out: `size` for images in memory, which are not cut. */
export function resizeOf({ data }: TrainConfig): number {
  return data.name.startsWith('folder:') ? Math.round(data.size * imageNetMargin) : data.size;
}

/** Of training images: what is drawn, then the normalisation. Images in memory are cropped at their own size, files at that of the net. */
export function trainTransforms(config: TrainConfig, set: LoaderDataset, last: Normalization | undefined): Transform[] {
  const { augment, data } = config;
  const ownSize = set instanceof ImageFiles ? data.size : ([set.shape[1], set.shape[2]] as const);
  return [
    ...(augment.randomResizedCrop
      ? [transforms.randomResizedCrop(data.size, { scale: augment.randomResizedCrop })]
      : middle(config, set)),
    ...(augment.crop === null ? [] : [transforms.randomCrop(ownSize, { padding: augment.crop })]),
    ...drawn(augment),
    ...normalized(last),
  ];
}

/** Of images that are evaluated. */
export function testTransforms(config: TrainConfig, set: LoaderDataset, last: Normalization | undefined): Transform[] {
  return [...middle(config, set), ...normalized(last)];
}

function middle(config: TrainConfig, set: LoaderDataset): Transform[] {
  if (!(set instanceof ImageFiles)) return []; // the loader resizes them
  return [transforms.resizeShorter(resizeOf(config)), transforms.centerCrop(config.data.size)];
}

function drawn({ flip, colorJitter, cutout }: AugmentConfig): Transform[] {
  return [
    ...(flip ? [transforms.randomHorizontalFlip()] : []),
    ...(colorJitter ? [transforms.colorJitter(colorJitter)] : []),
    ...(cutout === null ? [] : [transforms.cutout(cutout)]),
  ];
}

const normalized = (last: Normalization | undefined): Transform[] =>
  last ? [transforms.normalize(last.mean, last.std)] : [];
