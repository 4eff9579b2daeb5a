// Pictures for TensorBoard: a grid of training images, a confusion matrix.
import { encodePng, enlarge, pngDataUri } from '../report/png.js';
import { colours, element, picture, text } from '../report/svg.js';
import type { PngImage } from './event-writer.js';

/** Images of a batch, as they enter the net. */
export interface ImageBatch {
  /** [images, channels, height, width] in row-major order. */
  values: ArrayLike<number>;
  shape: readonly [images: number, channels: number, height: number, width: number];
  /** What they were normalised by, after the division by 255; one value a channel or one for all. */
  normalization: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
}

const gap = 2; // pixels between images
const widest = 1024; // pixels of a grid
const mostColumns = 8;

/**
 * The first images of a batch in a square grid, at most 8 x 8 and 1024 pixels wide, as they were before normalisation. Three channels are
 * red, green and blue; of others the first is shown in grey. Values below 0 and above 1 are shown as 0 and 1.
 */
export function imageGrid(batch: ImageBatch): PngImage {
  const [images, , height, width] = batch.shape;
  const channels = batch.shape[1] === 3 ? 3 : 1;
  const fitting = Math.max(1, Math.floor(widest / (width + gap)));
  const columns = Math.min(fitting, mostColumns, Math.ceil(Math.sqrt(images)));
  const rows = Math.min(columns, Math.ceil(images / columns));
  const grid = { width: columns * (width + gap) - gap, height: rows * (height + gap) - gap };
  const pixels = new Uint8Array(grid.width * grid.height * channels).fill(255); // [height, width, channels]
  for (let i = 0; i < Math.min(images, columns * rows); i++) {
    const corner = Math.floor(i / columns) * (height + gap) * grid.width + (i % columns) * (width + gap);
    for (let channel = 0; channel < channels; channel++) {
      const plane = planeOf(batch, i, channel);
      for (let at = 0; at < plane.length; at++) {
        const pixel = corner + Math.floor(at / width) * grid.width + (at % width);
        pixels[pixel * channels + channel] = plane[at] as number;
      }
    }
  }
  return { ...grid, png: encodePng({ ...grid, pixels, channels }) };
}

/** One channel of an image, [height, width], as bytes. */
function planeOf({ values, shape, normalization }: ImageBatch, image: number, channel: number): Uint8ClampedArray {
  const [, channels, height, width] = shape;
  const { mean, std } = normalization ?? { mean: [0], std: [1] };
  const [shift, scale] = [mean[channel] ?? (mean[0] as number), std[channel] ?? (std[0] as number)];
  const start = (image * channels + channel) * height * width;
  return Uint8ClampedArray.from(
    { length: height * width },
    (_, i) => 255 * ((values[start + i] as number) * scale + shift),
  );
}

const namedClasses = 40; // with more there is no room for names and numbers
const cellSize = 44;
const margin = 150;

/**
 * A confusion matrix [label, prediction]: the darker, the larger the part of the label's images. Up to 40 classes have names and numbers,
 * where the system has a font. `classNames`: null for the classes' numbers.
 */
export async function confusionPicture(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[] | null,
): Promise<PngImage> {
  const classes = confusion.length;
  const heat = heatMap(confusion);
  if (classes > namedClasses) {
    const large = enlarge({ pixels: heat, width: classes, height: classes }, Math.ceil(800 / classes));
    return { png: encodePng(large), width: large.width, height: large.height };
  }
  const side = classes * cellSize;
  const size = { width: margin + side + 10, height: 50 + side + margin };
  const names = classNames ?? confusion.map((_, i) => String(i));
  const { default: sharp } = await import('sharp'); // at first use: who writes no pictures need not wait for it
  const svg = picture(
    size,
    text(10, 22, 'label (row), prediction (column)', { fill: colours.muted }),
    element('image', {
      x: margin,
      y: 40,
      width: side,
      height: side,
      href: pngDataUri(enlarge({ pixels: heat, width: classes, height: classes }, cellSize)),
    }),
    ...confusion.flatMap((row, y) => [
      text(margin - 8, 40 + (y + 0.6) * cellSize, shortened(names[y] ?? ''), { 'text-anchor': 'end' }),
      columnName(names[y] ?? '', margin + (y + 0.5) * cellSize, 48 + side),
      ...row.map((count, x) => cellText(count, x, y, heat[y * classes + x] as number)),
    ]),
  );
  return { ...size, png: await sharp(Buffer.from(svg)).png().toBuffer() };
}

/** [classes, classes] bytes: 255 for none of the label's images, dark for all of them. */
function heatMap(confusion: readonly (readonly number[])[]): Uint8Array {
  const shades = confusion.flatMap((row) => {
    const images = row.reduce((sum, count) => sum + count, 0) || 1;
    return row.map((count) => Math.round(255 - 205 * (count / images)));
  });
  return Uint8Array.from(shades);
}

function columnName(name: string, x: number, y: number): string {
  const turn = `rotate(-90 ${x} ${y})`;
  return text(x, y + 4, shortened(name), { 'text-anchor': 'end', transform: turn });
}

function cellText(count: number, x: number, y: number, shade: number): string {
  if (count === 0) return '';
  const fill = shade < 140 ? colours.paper : colours.ink;
  const [middle, baseline] = [margin + (x + 0.5) * cellSize, 40 + (y + 0.6) * cellSize];
  return text(middle, baseline, String(count), { 'text-anchor': 'middle', 'font-size': 12, fill });
}

const shortened = (name: string): string => (name.length > 18 ? `${name.slice(0, 17)}…` : name);
