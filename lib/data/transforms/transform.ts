// What a transform is: plain data, so that it can be sent to a worker thread; what it does is looked up by its kind.
import type { HostImage } from '../image.js';
import type { SampleRandom } from '../sample-random.js';

/** Height and width in pixels. */
export type Size = readonly [height: number, width: number];

/** Part of an image, in pixels from its upper left corner. */
export interface Region {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** What is cut out of an image of any size, and the size that it is resized to. */
export interface Geometry {
  region: Region;
  size: Size;
}

export type Transform =
  | { readonly kind: 'resize'; readonly size: Size }
  | { readonly kind: 'resizeShorter'; readonly side: number }
  | { readonly kind: 'randomResizedCrop'; readonly size: Size; readonly scale: Range; readonly ratio: Range }
  | { readonly kind: 'centerCrop'; readonly size: Size }
  | { readonly kind: 'randomCrop'; readonly size: Size; readonly padding: number; readonly fill: Colour }
  | { readonly kind: 'horizontalFlip'; readonly probability: number }
  | { readonly kind: 'verticalFlip'; readonly probability: number }
  | {
      readonly kind: 'colorJitter';
      readonly brightness: Range;
      readonly contrast: Range;
      readonly saturation: Range;
      readonly hue: Range;
    }
  | { readonly kind: 'cutout'; readonly side: number; readonly probability: number; readonly fill: Colour }
  | { readonly kind: 'normalize'; readonly mean: readonly number[]; readonly std: readonly number[] };

export type Kind = Transform['kind'];
export type TransformOf<K extends Kind> = Extract<Transform, { kind: K }>;
export type Range = readonly [low: number, high: number];
/** One value for all channels or one a channel, from 0 to 255. */
export type Colour = readonly number[];

/** A transform that changes single pixels or moves them, keeping or setting the size. */
export interface PixelRule<K extends Kind> {
  apply(image: HostImage, transform: TransformOf<K>, random: SampleRandom): HostImage;
}

/** A transform that is a cut followed by a resize: sharp can do it while it decodes. */
export interface GeometryRule<K extends Kind> {
  geometry(size: Size, transform: TransformOf<K>, random: SampleRandom): Geometry;
}

/** The size of what comes out where it does not depend on what goes in. */
export function fixedSize(transform: Transform): Size | undefined {
  return 'size' in transform ? transform.size : undefined;
}
