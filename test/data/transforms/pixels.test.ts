// Crops, flips and cutout: against plain loops, for every choice that is drawn.
import { describe, expect, test } from 'vitest';
import { transforms } from '../../../lib/data/index.js';
import { each, image, pixelAt, randomOf, run } from './images.js';

const input = image(3, 5, 7);
const positions = Array.from({ length: 200 }, (_, i) => i);

describe('flips', () => {
  const mirrored = each(3, 5, 7, (c, y, x) => pixelAt(input, c, y, 6 - x));
  const overturned = each(3, 5, 7, (c, y, x) => pixelAt(input, c, 4 - y, x));

  test('always and never', () => {
    expect(run(input, transforms.randomHorizontalFlip(1))).toEqual(mirrored);
    expect(run(input, transforms.randomVerticalFlip(1))).toEqual(overturned);
    expect(run(input, transforms.randomHorizontalFlip(0))).toEqual(input);
    expect(run(input, transforms.randomVerticalFlip(0))).toEqual(input);
  });

  test('as often as the probability says', () => {
    for (const [transform, flipped] of [
      [transforms.randomHorizontalFlip(), mirrored],
      [transforms.randomVerticalFlip(0.5), overturned],
    ] as const) {
      const results = positions.map((position) => run(input, transform, position));
      for (const result of results) expect([input, flipped]).toContainEqual(result);
      const count = results.filter((result) => result.pixels[0] === flipped.pixels[0]).length;
      expect(Math.abs(count - 100)).toBeLessThan(36); // 5 standard deviations
    }
  });
});

describe('crops', () => {
  test('of the middle', () => {
    expect(run(input, transforms.centerCrop([3, 4]))).toEqual(
      each(3, 3, 4, (c, y, x) => pixelAt(input, c, y + 1, x + 1)),
    );
    expect(run(input, transforms.centerCrop([5, 7]))).toEqual(input);
    // Two rows more on either side, and a column less: black above and below.
    expect(run(input, transforms.centerCrop([9, 5]))).toEqual(
      each(3, 9, 5, (c, y, x) => pixelAt(input, c, y - 2, x + 1)),
    );
  });

  test('at random places reach every place, with padding and fill', () => {
    const transform = transforms.randomCrop([5, 7], { padding: 2, fill: [11, 22, 33] });
    const fill = [11, 22, 33];
    const at = (top: number, left: number) => each(3, 5, 7, (c, y, x) => pixelAt(input, c, y + top, x + left, fill[c]));
    const places = new Map<string, number>();
    for (let top = -2; top <= 2; top++)
      for (let left = -2; left <= 2; left++) places.set(at(top, left).pixels.join(), 0);
    for (const position of positions) {
      const key = run(input, transform, position).pixels.join();
      expect(places.has(key)).toBe(true);
      places.set(key, (places.get(key) ?? 0) + 1);
    }
    expect(places.size).toBe(25);
    for (const count of places.values()) expect(count).toBeGreaterThan(0);
  });

  test('without padding lie within the image', () => {
    const inside = new Set<string>();
    for (let top = 0; top <= 2; top++)
      for (let left = 0; left <= 3; left++)
        inside.add(each(3, 3, 4, (c, y, x) => pixelAt(input, c, y + top, x + left)).pixels.join());
    for (const position of positions)
      expect(inside).toContain(run(input, transforms.randomCrop([3, 4]), position).pixels.join());
  });

  test('larger than the image fill what is missing', () => {
    for (const position of positions.slice(0, 20)) {
      const result = run(image(1, 1, 2, [5, 6]), transforms.randomCrop(3, { fill: 9 }), position);
      expect([...result.pixels].sort().join()).toBe([5, 6, 9, 9, 9, 9, 9, 9, 9].join());
    }
  });
});

describe('cutout', () => {
  test('covers a square around a random pixel, cut off at the edges', () => {
    const transform = transforms.cutout(3, { fill: 7 });
    for (const position of positions) {
      const random = randomOf(position);
      random.uniform(); // whether it is done
      const centreY = random.integer(5);
      const centreX = random.integer(7);
      const inside = (y: number, x: number) => Math.abs(y - centreY) <= 1 && Math.abs(x - centreX) <= 1;
      expect(run(input, transform, position)).toEqual(
        each(3, 5, 7, (c, y, x) => (inside(y, x) ? 7 : pixelAt(input, c, y, x))),
      );
    }
  });

  test('of everything and of nothing', () => {
    expect(run(input, transforms.cutout(100)).pixels.every((value) => value === 0)).toBe(true);
    expect(run(input, transforms.cutout(3, { probability: 0 }))).toEqual(input);
  });
});

test('the input stays as it was', () => {
  const before = input.pixels.slice();
  for (const transform of [
    transforms.randomHorizontalFlip(1),
    transforms.randomVerticalFlip(1),
    transforms.randomCrop(5, { padding: 1 }),
    transforms.cutout(3),
    transforms.colorJitter({ brightness: 1, contrast: 1, saturation: 1, hue: 0.5 }),
    transforms.resize(3),
  ])
    run(input, transform);
  expect(input.pixels).toEqual(before);
});

test('options out of range are ConfigErrors', () => {
  const wrong: (() => unknown)[] = [
    () => transforms.resize(0),
    () => transforms.resizeShorter(1.5),
    () => transforms.centerCrop([3, -1]),
    () => transforms.randomCrop(3, { padding: -1 }),
    () => transforms.randomCrop(3, { fill: 256 }),
    () => transforms.randomCrop(3, { fill: [] }),
    () => transforms.randomCrop(3, { pad: 1 } as never),
    () => transforms.randomHorizontalFlip(1.1),
    () => transforms.randomResizedCrop(3, { scale: [0.5, 0.1] }),
    () => transforms.randomResizedCrop(3, { scale: [0, 1] }),
    () => transforms.randomResizedCrop(3, { ratio: 1 as never }),
    () => transforms.colorJitter({ hue: 0.6 }),
    () => transforms.colorJitter({ brightness: -1 }),
    () => transforms.cutout(0),
    () => transforms.normalize([0, 0], [1]),
    () => transforms.normalize(0, 0),
    () => transforms.normalize([], []),
  ];
  for (const make of wrong) expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR' }));
});
