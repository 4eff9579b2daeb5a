// Transforms that move or cover pixels: crops, flips, cutout.
import type { HostImage } from '../image.js';
import { cut } from './resample.js';
import type { Colour, PixelRule, Region } from './transform.js';

/** A region that may reach over the image's edges; `fill` is what lies there. */
function window(image: HostImage, region: Region, fill: Colour): HostImage {
  const { top, left, height, width } = region;
  if (top >= 0 && left >= 0 && top + height <= image.height && left + width <= image.width) return cut(image, region);
  const pixels = new Uint8Array(image.channels * height * width);
  const from = Math.max(0, left);
  const to = Math.min(image.width, left + width);
  for (let channel = 0; channel < image.channels; channel++) {
    const value = fillOf(fill, channel);
    if (value !== 0) pixels.fill(value, channel * height * width, (channel + 1) * height * width);
    if (from >= to) continue;
    for (let y = Math.max(0, -top); y < height && top + y < image.height; y++) {
      const at = (channel * image.height + top + y) * image.width;
      pixels.set(image.pixels.subarray(at + from, at + to), (channel * height + y) * width + from - left);
    }
  }
  return { pixels, channels: image.channels, height, width };
}

const fillOf = (fill: Colour, channel: number): number => fill[channel % fill.length] as number;

/** The middle; what is smaller than the crop is padded evenly with black. */
export const centerCrop: PixelRule<'centerCrop'> = {
  apply(image, { size: [height, width] }) {
    const top = Math.floor((image.height - height) / 2);
    const left = Math.floor((image.width - width) / 2);
    return window(image, { top, left, height, width }, [0]);
  },
};

/** As He et al. 2016 (section 4.2) for CIFAR-10: pad, then crop at a random place. */
export const randomCrop: PixelRule<'randomCrop'> = {
  apply(image, { size: [height, width], padding, fill }, random) {
    // An image that is still smaller than the crop after padding gets what is missing at random sides.
    const roomDown = image.height + 2 * padding - height;
    const roomRight = image.width + 2 * padding - width;
    const place = (room: number): number => Math.sign(room) * random.integer(Math.abs(room) + 1);
    return window(image, { top: place(roomDown) - padding, left: place(roomRight) - padding, height, width }, fill);
  },
};

export const horizontalFlip: PixelRule<'horizontalFlip'> = {
  apply(image, { probability }, random) {
    if (random.uniform() >= probability) return image;
    const { width } = image;
    const pixels = new Uint8Array(image.pixels.length);
    for (let row = 0; row < pixels.length; row += width)
      for (let x = 0; x < width; x++) pixels[row + x] = image.pixels[row + width - 1 - x] as number;
    return { ...image, pixels };
  },
};

export const verticalFlip: PixelRule<'verticalFlip'> = {
  apply(image, { probability }, random) {
    if (random.uniform() >= probability) return image;
    const { height, width, channels } = image;
    const pixels = new Uint8Array(image.pixels.length);
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < height; y++) {
        const from = (channel * height + height - 1 - y) * width;
        pixels.set(image.pixels.subarray(from, from + width), (channel * height + y) * width);
      }
    }
    return { ...image, pixels };
  },
};

/** A square around a random pixel is covered; parts beyond the edges are cut off (DeVries and Taylor 2017, section 3.2). */
export const cutout: PixelRule<'cutout'> = {
  apply(image, { side, probability, fill }, random) {
    if (random.uniform() >= probability) return image;
    const { height, width, channels } = image;
    const top = random.integer(height) - (side >> 1);
    const left = random.integer(width) - (side >> 1);
    const pixels = image.pixels.slice();
    const from = Math.max(0, left);
    const to = Math.min(width, left + side);
    for (let channel = 0; channel < channels; channel++) {
      for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
        const row = (channel * height + y) * width;
        pixels.fill(fillOf(fill, channel), row + from, row + to);
      }
    }
    return { ...image, pixels };
  },
};
