// Colour jitter: brightness, contrast, saturation and hue changed by random amounts, in a random order.
import type { HostImage } from '../image.js';
import type { PixelRule } from './transform.js';

/** red, green and blue, or grey alone, from 0 to 255; not rounded between the four changes. */
type Planes = Float32Array[];

/** As torchvision's ColorJitter: factors even over their ranges, the four changes in a random order. Grey images keep their grey. */
export const colorJitter: PixelRule<'colorJitter'> = {
  apply(image, { brightness, contrast, saturation, hue }, random) {
    const factors = [brightness, contrast, saturation, hue].map((range) => random.uniform(...range));
    const order = random.shuffle([0, 1, 2, 3]);
    const planes = toPlanes(image);
    for (const change of order) changes[change]?.(planes, factors[change] as number);
    const pixels = new Uint8Array(image.pixels.length);
    const count = image.height * image.width;
    for (const [channel, plane] of planes.entries())
      for (let i = 0; i < count; i++) pixels[channel * count + i] = Math.round(plane[i] as number);
    return { ...image, pixels };
  },
};

function toPlanes(image: HostImage): Planes {
  const count = image.height * image.width;
  return Array.from({ length: image.channels }, (_, channel) =>
    Float32Array.from(image.pixels.subarray(channel * count, (channel + 1) * count)),
  );
}

const clamp = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

const changes: readonly ((planes: Planes, factor: number) => void)[] = [
  changeBrightness,
  changeContrast,
  changeSaturation,
  changeHue,
];

/** Times the factor. */
export function changeBrightness(planes: Planes, factor: number): void {
  if (factor === 1) return;
  for (const plane of planes) for (let i = 0; i < plane.length; i++) plane[i] = clamp((plane[i] as number) * factor);
}

/** Away from, or towards, the mean luma of the image. */
export function changeContrast(planes: Planes, factor: number): void {
  if (factor === 1) return;
  const count = planes[0]?.length ?? 0;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += lumaAt(planes, i);
  const mean = sum / count;
  for (const plane of planes)
    for (let i = 0; i < count; i++) plane[i] = clamp(mean + factor * ((plane[i] as number) - mean));
}

/** Away from, or towards, each pixel's luma. */
export function changeSaturation(planes: Planes, factor: number): void {
  if (factor === 1 || planes.length < 3) return;
  const count = planes[0]?.length ?? 0;
  for (let i = 0; i < count; i++) {
    const luma = lumaAt(planes, i);
    for (const plane of planes) plane[i] = clamp(luma + factor * ((plane[i] as number) - luma));
  }
}

/** Turns the hue by a part of the colour circle, from -0.5 to 0.5; value and saturation (HSV) stay. */
export function changeHue(planes: Planes, turn: number): void {
  if (turn === 0 || planes.length < 3) return;
  const [red, green, blue] = planes as [Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < red.length; i++) {
    const r = red[i] as number;
    const g = green[i] as number;
    const b = blue[i] as number;
    const value = Math.max(r, g, b);
    const chroma = value - Math.min(r, g, b);
    if (chroma === 0) continue;
    const sixth = value === r ? (g - b) / chroma : value === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
    const turned = sixth + 6 * turn + 12; // sixths of the circle, above 0
    red[i] = value - chroma * fade(5, turned);
    green[i] = value - chroma * fade(3, turned);
    blue[i] = value - chroma * fade(1, turned);
  }
}

/** How much of the chroma a channel lacks at a hue: 0 within a sixth of its own colour on both sides, 1 opposite. */
function fade(offset: number, sixth: number): number {
  const k = (offset + sixth) % 6;
  return Math.max(0, Math.min(k, 4 - k, 1));
}

/** ITU-R BT.601 */
function lumaAt(planes: Planes, i: number): number {
  if (planes.length < 3) return planes[0]?.[i] as number;
  const [red, green, blue] = planes as [Float32Array, Float32Array, Float32Array];
  return 0.299 * (red[i] as number) + 0.587 * (green[i] as number) + 0.114 * (blue[i] as number);
}
