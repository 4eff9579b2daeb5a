// The heat map of many classes: a picture of bounded size, each point where its classes are.
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { confusionMap, mapNote } from '../../lib/report/confusion-map.js';

/** No image but these. */
function matrix(classes: number, images: readonly (readonly [actual: number, predicted: number, count: number])[]) {
  const rows = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, j, count] of images) (rows[i] as number[])[j] = count;
  return rows;
}

const names = (classes: number): string[] => Array.from({ length: classes }, (_, i) => `<class> ${i}`);

/** The picture's pixels, from the markup. */
async function decoded(markup: string) {
  const [, encoded] = /src="data:image\/png;base64,([^"]+)"/.exec(markup) ?? [];
  const picture = await sharp(Buffer.from(encoded ?? '', 'base64'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, channels } = picture.info;
  const at = (y: number, x: number): number[] => [...picture.data.subarray((y * width + x) * channels).subarray(0, 4)];
  return { ...picture.info, at };
}

describe('the picture of a confusion matrix', () => {
  test('of 101 classes has a point for each pair', async () => {
    const confusion = matrix(101, [
      [0, 0, 10],
      [7, 7, 75],
      [7, 100, 25],
      [100, 3, 1],
    ]);
    const { width, height, channels, at } = await decoded(confusionMap(confusion, names(101)).markup);
    expect([width, height, channels]).toEqual([101, 101, 4]);
    expect(at(0, 0)[3]).toBe(255);
    expect(at(0, 1)[3]).toBe(0); // nothing
    expect(at(7, 7).slice(0, 3)).toEqual(at(0, 0).slice(0, 3)); // right
    expect(at(7, 100).slice(0, 3)).toEqual(at(100, 3).slice(0, 3)); // wrong
    expect(at(7, 100).slice(0, 3)).not.toEqual(at(7, 7).slice(0, 3));
    expect(at(7, 100)[3]).toBeLessThan(at(7, 7)[3] as number);
    expect(mapNote(101)).toBe('');
  });

  test('of 1000 classes: a point stands for 2 by 2 of them', async () => {
    const confusion = matrix(1000, [
      [999, 0, 1],
      [999, 999, 99],
    ]);
    const { markup } = confusionMap(confusion, names(1000));
    const { width, height, at } = await decoded(markup);
    expect([width, height]).toEqual([500, 500]);
    expect(at(499, 0)[3]).toBeGreaterThan(60); // one of a hundred is to be seen
    expect(at(499, 499)[3]).toBeGreaterThan(240);
    expect(markup.match(/<span style="top:/g)).toHaveLength(25);
    expect(markup).toContain('<span style="top:4.05%" title="&lt;class&gt; 40">&lt;class&gt; 40</span>');
    expect(mapNote(1000)).toContain('A point stands for 2 by 2 classes');
  });

  test('is a file of bounded size, of a thousand classes that are all confused, too', async () => {
    const rows = matrix(1001, []).map((row, i) => row.map((_, j) => (i * 7919 + j * 104_729 + i * j) % 97));
    const { markup } = confusionMap(rows, names(1001));
    expect((await decoded(markup)).width).toBe(334); // 3 by 3: at most 500 points
    expect(markup.length).toBeLessThan(400_000);
  });
});
