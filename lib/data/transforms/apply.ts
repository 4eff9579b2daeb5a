// Runs transforms on an image of the host: which rule belongs to which kind.
import type { HostImage } from '../image.js';
import type { SampleRandom } from '../sample-random.js';
import { colorJitter } from './colour.js';
import * as geometry from './geometry.js';
import * as pixels from './pixels.js';
import { resample } from './resample.js';
import type { Geometry, Kind, Size, Transform } from './transform.js';

type AnyGeometryRule = { geometry(size: Size, transform: Transform, random: SampleRandom): Geometry };
type AnyPixelRule = { apply(image: HostImage, transform: Transform, random: SampleRandom): HostImage };

const geometryRules: Partial<Record<Kind, AnyGeometryRule>> = {
  resize: geometry.resize as AnyGeometryRule,
  resizeShorter: geometry.resizeShorter as AnyGeometryRule,
  randomResizedCrop: geometry.randomResizedCrop as AnyGeometryRule,
};

const pixelRules: Partial<Record<Kind, AnyPixelRule>> = {
  centerCrop: pixels.centerCrop as AnyPixelRule,
  randomCrop: pixels.randomCrop as AnyPixelRule,
  horizontalFlip: pixels.horizontalFlip as AnyPixelRule,
  verticalFlip: pixels.verticalFlip as AnyPixelRule,
  cutout: pixels.cutout as AnyPixelRule,
  colorJitter: colorJitter as AnyPixelRule,
};

/** Runs one transform. What is done on the device (normalize) leaves the image as it is. */
export function applyTransform(image: HostImage, transform: Transform, random: SampleRandom): HostImage {
  const found = geometryOf([image.height, image.width], transform, random);
  if (found) return resample(image, found);
  return pixelRules[transform.kind]?.apply(image, transform, random) ?? image;
}

/** What a transform cuts and resizes, where that is all it does. */
export function geometryOf(size: Size, transform: Transform, random: SampleRandom): Geometry | undefined {
  return geometryRules[transform.kind]?.geometry(size, transform, random);
}
