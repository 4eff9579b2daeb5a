// Resizes on the host: against PyTorch's antialiased interpolation, and random-resized crops against their definition.
import { describe, expect, test } from 'vitest';
import { transforms } from '../../../lib/data/index.js';
import { geometryOf } from '../../../lib/data/transforms/apply.js';
import { cut, resample } from '../../../lib/data/transforms/resample.js';
import { decode, fixtureCases } from '../../helpers/fixtures.js';
import { integerValues, sizeOf } from '../../helpers/values.js';
import { each, image, pixelAt, randomOf, run } from './images.js';

describe('resize', () => {
  test.each(fixtureCases('antialiasedResize').map((c) => [c.name, c] as const))('%s', (_, fixture) => {
    const { shape, seed } = fixture.inputs.x!;
    const input = image(...(shape as [number, number, number]), integerValues(sizeOf(shape), seed, 256));
    const result = run(input, transforms.resize(fixture.options.size as [number, number]));
    const expected = decode(fixture.expected.y!);
    expect([result.channels, result.height, result.width]).toEqual(fixture.expected.y!.shape);
    for (const [i, value] of result.pixels.entries())
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(0.5001); // rounded to a byte
  });

  test('of a number is square; the shorter side keeps the aspect ratio', () => {
    expect(run(image(3, 5, 9), transforms.resize(4))).toMatchObject({ height: 4, width: 4 });
    expect(run(image(3, 50, 91), transforms.resizeShorter(25))).toMatchObject({ height: 25, width: 45 });
    expect(run(image(3, 91, 50), transforms.resizeShorter(100))).toMatchObject({ height: 182, width: 100 });
    expect(run(image(1, 1, 1), transforms.resizeShorter(3))).toMatchObject({ height: 3, width: 3 });
  });
});

describe('randomResizedCrop', () => {
  const height = 60;
  const width = 90;
  const regionOf = (transform: ReturnType<typeof transforms.resize>, position: number) =>
    geometryOf([height, width], transform, randomOf(position))!.region;

  test('draws areas, aspect ratios and places within the ranges and the image', () => {
    const transform = transforms.randomResizedCrop(8, { scale: [0.2, 0.6], ratio: [0.5, 2] });
    const areas: number[] = [];
    for (let position = 0; position < 500; position++) {
      const { top, left, height: h, width: w } = regionOf(transform, position);
      expect(top >= 0 && left >= 0 && top + h <= height && left + w <= width).toBe(true);
      // A side is rounded by up to half a pixel.
      expect((w + 0.5) / (h - 0.5)).toBeGreaterThan(0.5);
      expect((w - 0.5) / (h + 0.5)).toBeLessThan(2);
      expect(((w + 0.5) * (h + 0.5)) / (height * width)).toBeGreaterThan(0.2);
      expect(((w - 0.5) * (h - 0.5)) / (height * width)).toBeLessThan(0.6);
      areas.push((w * h) / (height * width));
    }
    // Even over the range, but for wide and tall regions that do not fit and are drawn again.
    expect(Math.min(...areas)).toBeLessThan(0.23);
    expect(Math.max(...areas)).toBeGreaterThan(0.56);
  });

  test('takes the middle where no region fits', () => {
    // Whole area and three times as tall as wide: never within 60 x 90.
    const { region } = geometryOf(
      [height, width],
      transforms.randomResizedCrop(8, { scale: [1, 1], ratio: [1 / 3, 1 / 3] }),
      randomOf(0),
    )!;
    expect(region).toEqual({ top: 0, left: 35, height: 60, width: 20 });
  });

  test('is the cut, resized', () => {
    const input = image(3, height, width);
    const transform = transforms.randomResizedCrop([7, 11]);
    for (let position = 0; position < 5; position++) {
      const region = regionOf(transform, position);
      const whole = { top: 0, left: 0, height: region.height, width: region.width };
      const expected = resample(cut(input, region), { region: whole, size: [7, 11] });
      expect(run(input, transform, position)).toEqual(expected);
      const { top, left } = region;
      expect(cut(input, region)).toEqual(
        each(3, region.height, region.width, (c, y, x) => pixelAt(input, c, top + y, left + x)),
      );
    }
  });

  test('of one pixel', () => {
    expect(run(image(1, 1, 1, [9]), transforms.randomResizedCrop(2))).toEqual(image(1, 2, 2, [9, 9, 9, 9]));
  });
});
