// Colour jitter: each change against its definition, and what is drawn.
import { describe, expect, test } from 'vitest';
import { transforms } from '../../../lib/data/index.js';
import { changeBrightness, changeContrast, changeHue, changeSaturation } from '../../../lib/data/transforms/colour.js';
import { integerValues } from '../../helpers/values.js';
import { image, run } from './images.js';

const count = 50;
const makePlanes = () => [1, 2, 3].map((seed) => Float32Array.from(integerValues(count, seed, 256)));
const clamp = (value: number) => Math.min(255, Math.max(0, value));
const luma = (planes: Float32Array[], i: number) =>
  0.299 * planes[0]![i]! + 0.587 * planes[1]![i]! + 0.114 * planes[2]![i]!;

function expectPlanes(found: Float32Array[], expected: (channel: number, i: number) => number): void {
  for (const [channel, plane] of found.entries())
    for (let i = 0; i < count; i++) expect(plane[i]).toBeCloseTo(expected(channel, i), 2);
}

describe('changes', () => {
  test.each([0, 0.4, 1, 1.7])('brightness %d', (factor) => {
    const before = makePlanes();
    const planes = makePlanes();
    changeBrightness(planes, factor);
    expectPlanes(planes, (c, i) => clamp(before[c]![i]! * factor));
  });

  test.each([0, 0.4, 1, 1.7])('contrast %d', (factor) => {
    const before = makePlanes();
    const planes = makePlanes();
    changeContrast(planes, factor);
    let mean = 0;
    for (let i = 0; i < count; i++) mean += luma(before, i) / count;
    expectPlanes(planes, (c, i) => clamp(factor * before[c]![i]! + (1 - factor) * mean));
  });

  test.each([0, 0.4, 1, 1.7])('saturation %d', (factor) => {
    const before = makePlanes();
    const planes = makePlanes();
    changeSaturation(planes, factor);
    expectPlanes(planes, (c, i) => clamp(factor * before[c]![i]! + (1 - factor) * luma(before, i)));
  });

  // Turned by a third of the circle, red is green, green is blue and blue is red.
  test('hue by thirds and sixths', () => {
    const before = makePlanes();
    const turned = makePlanes();
    changeHue(turned, 1 / 3);
    expectPlanes(turned, (c, i) => before[(c + 2) % 3]![i]!);
    const back = makePlanes();
    changeHue(back, -1 / 3);
    expectPlanes(back, (c, i) => before[(c + 1) % 3]![i]!);
    const colour = [255, 0, 0].map((value) => Float32Array.of(value));
    changeHue(colour, 1 / 6);
    expect(colour.map(([value]) => Math.round(value!))).toEqual([255, 255, 0]);
    changeHue(colour, 1 / 12);
    expect(colour.map(([value]) => Math.round(value!))).toEqual([128, 255, 0]);
  });

  test('hue keeps value and saturation, and grey as it is', () => {
    const before = makePlanes();
    const planes = makePlanes();
    changeHue(planes, 0.123);
    for (let i = 0; i < count; i++) {
      const ends = (of: Float32Array[]) => [Math.max, Math.min].map((f) => f(...of.map((plane) => plane[i]!)));
      for (const [k, value] of ends(planes).entries()) expect(value).toBeCloseTo(ends(before)[k]!, 2);
    }
    const grey = [7, 7, 7].map((value) => Float32Array.of(value));
    changeHue(grey, 0.4);
    expect(grey.map(([value]) => value)).toEqual([7, 7, 7]);
  });
});

describe('colorJitter', () => {
  test('of nothing changes nothing', () => {
    const input = image(3, 4, 5);
    expect(run(input, transforms.colorJitter({}))).toEqual(input);
  });

  test('draws factors over the whole range', () => {
    const input = image(1, 1, 1, [100]);
    const values = Array.from(
      { length: 300 },
      (_, i) => run(input, transforms.colorJitter({ brightness: 0.5 }), i).pixels[0]!,
    );
    expect(Math.min(...values)).toBeGreaterThanOrEqual(50);
    expect(Math.min(...values)).toBeLessThan(54);
    expect(Math.max(...values)).toBeLessThanOrEqual(150);
    expect(Math.max(...values)).toBeGreaterThan(146);
  });

  test('runs the changes in different orders', () => {
    // Brightness twice and contrast: one after the other clamps at another place.
    const input = image(3, 2, 2);
    const results = Array.from({ length: 40 }, (_, i) =>
      run(
        input,
        { kind: 'colorJitter', brightness: [2, 2], contrast: [0.5, 0.5], saturation: [1, 1], hue: [0, 0] },
        i,
      ).pixels.join(),
    );
    expect(new Set(results).size).toBe(2);
  });

  test('leaves grey images grey', () => {
    const input = image(1, 3, 3);
    const changed = run(input, transforms.colorJitter({ saturation: 0.9, hue: 0.5 }));
    expect(changed).toEqual(input);
  });
});
