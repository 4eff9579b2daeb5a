// `data.transforms`: what is done to each image before it enters a batch, as a list for the DataLoader.
import { ConfigError } from '../../errors.js';
import { checkInteger, checkNumber, checkOptions, checkPair, type Size2d } from '../../options.js';
import { imageNetNormalization } from '../imagenet.js';
import type { Colour, Range, Transform } from './transform.js';

export type { Transform } from './transform.js';

/** Resizes to [height, width], or to a square: bilinear with half-pixel centres, antialiased where it makes smaller. */
export function resize(size: Size2d): Transform {
  return { kind: 'resize', size: checkPair('resize()', 'size', size, 1) };
}

/** Resizes so that the shorter side has `side` pixels; the aspect ratio stays. */
export function resizeShorter(side: number): Transform {
  return { kind: 'resizeShorter', side: checkInteger('resizeShorter()', 'side', side, 1) };
}

export interface RandomResizedCropOptions {
  /** Smallest and largest part of the image's area. Default [0.08, 1]. */
  scale?: Range;
  /** Smallest and largest ratio of width to height. Default [3/4, 4/3]. */
  ratio?: Range;
}

/** Cuts out a region of random area, aspect ratio and place, and resizes it (Szegedy et al. 2015, section 6). */
export function randomResizedCrop(size: Size2d, options: RandomResizedCropOptions = {}): Transform {
  const where = 'randomResizedCrop()';
  checkOptions(where, options, ['scale', 'ratio']);
  const scale = checkRange(where, 'scale', options.scale ?? [0.08, 1], 1e-6, 1);
  const ratio = checkRange(where, 'ratio', options.ratio ?? [3 / 4, 4 / 3], 1e-3, 1e3);
  return { kind: 'randomResizedCrop', size: checkPair(where, 'size', size, 1), scale, ratio };
}

/** Cuts out the middle. An image that is smaller is padded with black. */
export function centerCrop(size: Size2d): Transform {
  return { kind: 'centerCrop', size: checkPair('centerCrop()', 'size', size, 1) };
}

export interface RandomCropOptions {
  /** Pixels added on each side first. Default 0. */
  padding?: number;
  /** Their value from 0 to 255, or one a channel. Default 0. */
  fill?: number | readonly number[];
}

/** Pads, then cuts out at a random place (He et al. 2016, section 4.2: 32 of 32 with a padding of 4). */
export function randomCrop(size: Size2d, options: RandomCropOptions = {}): Transform {
  checkOptions('randomCrop()', options, ['padding', 'fill']);
  return {
    kind: 'randomCrop',
    size: checkPair('randomCrop()', 'size', size, 1),
    padding: checkInteger('randomCrop()', 'padding', options.padding ?? 0, 0),
    fill: checkFill('randomCrop()', options.fill ?? 0),
  };
}

/** Left becomes right with the given probability, one half by default. */
export function randomHorizontalFlip(probability = 0.5): Transform {
  return { kind: 'horizontalFlip', probability: checkProbability('randomHorizontalFlip()', probability) };
}

/** Up becomes down with the given probability, one half by default. */
export function randomVerticalFlip(probability = 0.5): Transform {
  return { kind: 'verticalFlip', probability: checkProbability('randomVerticalFlip()', probability) };
}

export interface ColorJitterOptions {
  /** The factor is drawn from 1 - brightness to 1 + brightness, but not below 0. Default 0: none. */
  brightness?: number;
  /** Likewise, away from the mean luma of the image. */
  contrast?: number;
  /** Likewise, away from each pixel's luma. */
  saturation?: number;
  /** The turn of the hue is drawn from -hue to hue, as part of the colour circle; at most 0.5. Default 0. */
  hue?: number;
}

/** Brightness, contrast, saturation and hue change by random amounts, in a random order. */
export function colorJitter(options: ColorJitterOptions): Transform {
  const where = 'colorJitter()';
  checkOptions(where, options, ['brightness', 'contrast', 'saturation', 'hue']);
  const around1 = (name: 'brightness' | 'contrast' | 'saturation'): Range => {
    const amount = checkNumber(where, name, options[name] ?? 0, { min: 0 });
    return [Math.max(0, 1 - amount), 1 + amount];
  };
  const hue = checkNumber(where, 'hue', options.hue ?? 0, { min: 0, max: 0.5 });
  return {
    kind: 'colorJitter',
    brightness: around1('brightness'),
    contrast: around1('contrast'),
    saturation: around1('saturation'),
    hue: [-hue, hue],
  };
}

export interface CutoutOptions {
  /** How often an image is covered. Default 1. */
  probability?: number;
  /** What covers it, from 0 to 255, or one value a channel. Default 0. */
  fill?: number | readonly number[];
}

/** Covers a square of `side` pixels around a random pixel (DeVries and Taylor 2017). */
export function cutout(side: number, options: CutoutOptions = {}): Transform {
  checkOptions('cutout()', options, ['probability', 'fill']);
  return {
    kind: 'cutout',
    side: checkInteger('cutout()', 'side', side, 1),
    probability: checkProbability('cutout()', options.probability ?? 1),
    fill: checkFill('cutout()', options.fill ?? 0),
  };
}

/**
 * (x - mean) / std of each channel, x being pixels divided by 255. Done on the device, on the whole batch: it must come last.
 * One value for all channels, or one a channel.
 */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Transform {
  const means = [mean].flat().map((value) => checkNumber('normalize()', 'mean', value));
  const stds = [std].flat().map((value) => checkNumber('normalize()', 'std', value, { min: 0, exclusive: true }));
  if (means.length === 0 || means.length !== stds.length) {
    throw new ConfigError(
      `normalize() expected as many means as standard deviations, at least one, got ${means.length} and ${stds.length}.`,
      { mean, std },
    );
  }
  return { kind: 'normalize', mean: means, std: stds };
}

/** The channels' means and standard deviations of ImageNet's training images, that pretrained ResNets expect. */
export const imagenetNormalize = (): Transform => normalize(imageNetNormalization.mean, imageNetNormalization.std);

const checkProbability = (where: string, value: number): number =>
  checkNumber(where, 'probability', value, { min: 0, max: 1 });

function checkRange(where: string, name: string, range: Range, min: number, max: number): Range {
  if (!Array.isArray(range) || range.length !== 2 || !(range[0] <= range[1])) {
    throw new ConfigError(`${where} expected ${name} to be [lowest, highest], got ${JSON.stringify(range)}.`, {
      argument: name,
      found: range,
    });
  }
  return [checkNumber(where, name, range[0], { min, max }), checkNumber(where, name, range[1], { min, max })];
}

function checkFill(where: string, fill: number | readonly number[]): Colour {
  const values = [fill].flat();
  for (const value of values.length > 0 ? values : [undefined]) {
    checkNumber(where, 'fill', checkInteger(where, 'fill', value, 0), { max: 255 });
  }
  return values;
}
