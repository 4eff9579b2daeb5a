// What is known of a net that comes as a file of weights and a name: its classes and channels from the file, the rest by custom.
import { imageNetMargin, imageNetNormalization } from '../data/imagenet.js';
import { ConfigError } from '../errors.js';
import { matchNames } from '../interop/match-names.js';
import { openWeights } from '../interop/weights-file.js';
import { byName, ResNet } from '../models/index.js';
import { type Block, Conv2D, Dense } from '../nn/index.js';
import type { NetRecord } from './net-record.js';
import { nativeSize } from './recipe.js';

export interface WeightsOptions {
  /** Side of the images in pixels. Default: 224 for nets of ImageNet, 32 for CIFAR's, 28 for the chapter's. */
  size?: number;
  /** Of each channel, after the division by 255. Default: ImageNet's for its nets with three channels, else none. */
  mean?: readonly number[];
  std?: readonly number[];
}

/** The record of a file of weights. Throws CheckpointError (file) and ConfigError (names, options). */
export async function recordOfWeights(file: string, model: string, options: WeightsOptions): Promise<NetRecord> {
  const net = byName(model);
  const { classes, channels, kernel } = await sizesIn(file, net);
  const usualStem = net instanceof ResNet ? net.architecture.stem : 'chapter';
  const stem = usualStem === 'imagenet' && kernel === 3 ? 'cifar' : usualStem;
  if (channels !== 1 && channels !== 3)
    throw new ConfigError(`${file}: expected a net of 1 or 3 input channels for images, found ${channels}.`, {
      file,
      found: channels,
    });
  const size = options.size ?? { imagenet: 224, cifar: 32, chapter: nativeSize }[stem];
  const resize = stem === 'imagenet' ? Math.round(size * imageNetMargin) : size;
  const byCustom = stem === 'imagenet' && channels === 3 ? imageNetNormalization : undefined;
  const normalization = givenNormalization(options, channels) ?? byCustom;
  const ownStem = stem !== usualStem ? 'cifar' : undefined;
  return { model, stem: ownStem, classes, inputShape: [channels, size, size], resize, classNames: [], normalization };
}

/** Outputs, input channels and first kernel of the net whose weights a file holds, from the shapes there. */
async function sizesIn(file: string, net: Block): Promise<{ classes: number; channels: number; kernel: number }> {
  const weights = await openWeights(file);
  try {
    const layers = [...net.descendants()];
    const first = layers.find(([, block]) => block instanceof Conv2D)?.[0];
    const last = layers.findLast(([, block]) => block instanceof Dense)?.[0];
    const names = [...net.collectParams().keys()];
    const found = matchNames(names, weights.tensors, (name) => name.startsWith(`${last}.`))?.found;
    const shapeOf = (name: string): readonly number[] => weights.tensors.get(found?.get(name) ?? '')?.shape ?? [];
    const [classes] = shapeOf(`${last}.weight`);
    const [, channels, kernel] = shapeOf(`${first}.weight`);
    if (classes && channels && kernel) return { classes, channels, kernel };
    throw new ConfigError(
      `${file}: expected the weights of the net that --model names: its first or last layer is not there.`,
      {
        file,
        argument: '--model',
      },
    );
  } finally {
    await weights.close();
  }
}

function givenNormalization({ mean, std }: WeightsOptions, channels: number): NetRecord['normalization'] {
  if (mean === undefined && std === undefined) return undefined;
  if (mean?.length === channels && std?.length === channels) return { mean, std };
  throw new ConfigError(
    `--mean and --std go together, with ${channels} numbers each for ${channels} channels; got ${mean?.length ?? 'no'} and ${std?.length ?? 'no'}.`,
    { argument: mean?.length === channels ? '--std' : '--mean' },
  );
}
