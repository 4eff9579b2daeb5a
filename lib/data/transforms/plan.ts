// What a list of transforms amounts to for a data set: what is done on the host, what on the device, and the size in between.
import { ConfigError } from '../../errors.js';
import { sizeWithShorterSide } from './geometry.js';
import { fixedSize, type Size, type Transform, type TransformOf } from './transform.js';

export interface TransformPlan {
  host: readonly Transform[];
  /** Done on the device, last. */
  normalisation: TransformOf<'normalize'> | undefined;
  /** Size of the images after the transforms on the host. */
  size: Size;
}

export interface TransformInput {
  channels: number;
  /** Size of the data set's images where they all have one. */
  size: Size | undefined;
  /** Size that they are to have in the end. */
  resize: Size | undefined;
}

/** Splits a list, or one transform. Throws ConfigError: not transforms, normalize before others, sizes that differ. */
export function splitTransforms(given: Transform | readonly Transform[], input: TransformInput): TransformPlan {
  const transforms = [given].flat() as Transform[];
  for (const transform of transforms) checkTransform(transform);
  const last = transforms.at(-1);
  const normalisation = last?.kind === 'normalize' ? last : undefined;
  const host = normalisation ? transforms.slice(0, -1) : transforms;
  if (host.some(({ kind }) => kind === 'normalize')) {
    throw new ConfigError('DataLoader() expected normalize to be the last transform, once: it is done on the device.', {
      argument: 'transform',
    });
  }
  if (normalisation) checkChannels(normalisation, input.channels);
  // Image files are resized while they are decoded, images in memory on the device.
  const all: readonly Transform[] =
    input.size === undefined && input.resize ? [...host, { kind: 'resize', size: input.resize }] : host;
  return { host: all, normalisation, size: sizeAfter(all, input.size) };
}

function sizeAfter(transforms: readonly Transform[], from: Size | undefined): Size {
  let size = from;
  for (const transform of transforms) {
    if (transform.kind === 'resizeShorter') size &&= sizeWithShorterSide(size, transform.side);
    else size = fixedSize(transform) ?? size;
  }
  if (size) return size;
  throw new ConfigError(
    'DataLoader() expected a transform that gives all image files one size, such as transforms.randomResizedCrop(224), or transforms.resizeShorter(256) and transforms.centerCrop(224); or the option resize.',
    { argument: 'transform' },
  );
}

function checkTransform(transform: unknown): void {
  if (typeof transform === 'object' && transform !== null && 'kind' in transform) return;
  throw new ConfigError(
    `DataLoader() expected transform to be made by functions of data.transforms, got ${typeof transform}.`,
    { argument: 'transform' },
  );
}

function checkChannels({ mean }: TransformOf<'normalize'>, channels: number): void {
  if (mean.length === 1 || mean.length === channels) return;
  throw new ConfigError(
    `DataLoader() expected normalize to have 1 mean or ${channels}, one a channel, got ${mean.length}.`,
    { argument: 'transform', found: mean.length },
  );
}
