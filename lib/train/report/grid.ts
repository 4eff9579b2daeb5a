// The grid of test images with predicted and true class names.
import { enlarge, type GreyImage, pngDataUri } from './png.js';
import { at, colours, element, text } from './svg.js';

/** One test image, what the net takes it for and what it is. */
export interface Prediction {
  image: GreyImage;
  predicted: string;
  actual: string;
}

const imageSize = 112;
const tileHeight = imageSize + 54;

/** Height of the grid of `count` tiles. */
export function gridHeight(count: number, columns: number): number {
  return Math.ceil(count / columns) * tileHeight;
}

/** The tiles, row by row (2 columns or more), `width` in all; the upper left corner is (0, 0). */
export function grid(predictions: readonly Prediction[], columns: number, width: number): string {
  const pitch = (width - imageSize) / (columns - 1);
  return predictions
    .map((prediction, i) => at((i % columns) * pitch, Math.floor(i / columns) * tileHeight, tile(prediction)))
    .join('');
}

/** An image over two lines: the predicted name with its sign, the true one. Wrong: a cross, red, a frame. */
function tile({ image, predicted, actual }: Prediction): string {
  const correct = predicted === actual;
  const colour = correct ? colours.ink : colours.wrong;
  return [
    element('title', {}, correct ? 'correct' : 'wrong'),
    element('image', { width: imageSize, height: imageSize, href: pngDataUri(crisp(image)) }),
    element('rect', {
      x: correct ? 0.5 : -1,
      y: correct ? 0.5 : -1,
      width: correct ? imageSize - 1 : imageSize + 2,
      height: correct ? imageSize - 1 : imageSize + 2,
      fill: 'none',
      stroke: correct ? colours.grid : colours.wrong,
      'stroke-width': correct ? 1 : 3,
    }),
    at(0, imageSize + 17, correct ? tick() : cross()),
    text(17, imageSize + 18, predicted, { fill: colour, 'font-weight': correct ? undefined : 700 }),
    text(17, imageSize + 34, `is ${actual}`, { fill: colours.muted, 'font-size': 12 }),
  ].join('');
}

/** Drawn as paths: not every font has the signs. */
function tick(): string {
  return element('path', { d: 'M1,-4 L4.5,0 L11,-8', fill: 'none', stroke: colours.runTrain, 'stroke-width': 2.2 });
}

function cross(): string {
  return element('path', {
    d: 'M1.5,-8 L10.5,1 M10.5,-8 L1.5,1',
    fill: 'none',
    stroke: colours.wrong,
    'stroke-width': 2.6,
  });
}

/** Enlarged by a whole factor to at least its size in the picture. */
function crisp(image: GreyImage): GreyImage {
  return enlarge(image, Math.max(1, Math.ceil(imageSize / Math.max(image.width, image.height))));
}
