// Transforms that cut a region and resize it: resize, resizeShorter, randomResizedCrop.
import type { GeometryRule, Region, Size } from './transform.js';

const attempts = 10;

const whole = ([height, width]: Size): Region => ({ top: 0, left: 0, height, width });

export const resize: GeometryRule<'resize'> = {
  geometry: (from, { size }) => ({ region: whole(from), size }),
};

/** The size of an image whose shorter side gets this length. */
export function sizeWithShorterSide([height, width]: Size, side: number): Size {
  const longer = Math.max(1, Math.floor((side * Math.max(height, width)) / Math.min(height, width)));
  return height <= width ? [side, longer] : [longer, side];
}

export const resizeShorter: GeometryRule<'resizeShorter'> = {
  geometry: (from, { side }) => ({ region: whole(from), size: sizeWithShorterSide(from, side) }),
};

/** A region of random area and aspect ratio (Szegedy et al. 2015, "Going deeper with convolutions", section 6), drawn as torchvision draws it. */
export const randomResizedCrop: GeometryRule<'randomResizedCrop'> = {
  geometry([height, width], { size, scale, ratio }, random) {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const area = height * width * random.uniform(...scale);
      const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
      const w = Math.round(Math.sqrt(area * aspect));
      const h = Math.round(Math.sqrt(area / aspect));
      if (w < 1 || h < 1 || w > width || h > height) continue;
      const top = random.integer(height - h + 1);
      const left = random.integer(width - w + 1);
      return { region: { top, left, height: h, width: w }, size };
    }
    return { region: centralRegion(height, width, ratio), size };
  },
};

/** The largest region in the middle whose aspect ratio is allowed. */
function centralRegion(height: number, width: number, [lowest, highest]: readonly [number, number]): Region {
  const aspect = Math.min(highest, Math.max(lowest, width / height));
  const w = Math.max(1, Math.min(width, Math.round(height * aspect)));
  const h = Math.max(1, Math.min(height, Math.round(width / aspect)));
  return { top: (height - h) >> 1, left: (width - w) >> 1, height: h, width: w };
}
