// The picture of a run: one well-formed SVG that refers to nothing outside itself.
import { describe, expect, test } from 'vitest';
import { publishedRun } from '../../lib/train/report/published.js';
import { type ReportInput, reportSvg } from '../../lib/train/report/report.js';
import { escapeXml } from '../../lib/train/report/svg.js';

const image = { pixels: new Uint8Array(28 * 28).fill(128), width: 28, height: 28 };
const input: ReportInput = {
  title: 'Nets & <data>',
  subtitle: 'a "short" run',
  epochs: [
    { epoch: 1, loss: 0.7, trainAccuracy: 0.75, testAccuracy: 0.8 },
    { epoch: 2, loss: 0.4, trainAccuracy: 0.85, testAccuracy: 0.86 },
  ],
  predictions: [
    { image, predicted: 'coat', actual: 'coat' },
    { image, predicted: 'shirt', actual: 'dress' },
    { image, predicted: 'bag', actual: 'bag' },
  ],
  footnotes: ['first note', 'second note'],
};

/** Names of the elements; throws where tags do not match. */
function elementsOf(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, close, name, selfClosed] of svg.matchAll(/<(\/?)([a-zA-Z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else {
      names.push(name as string);
      if (!selfClosed) open.push(name as string);
    }
  }
  expect(open).toEqual([]);
  return names;
}

describe('reportSvg', () => {
  test('is one well-formed document with its texts escaped', async () => {
    const svg = await reportSvg(input);
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(elementsOf(svg)[0]).toBe('svg');
    expect(svg).toContain('Nets &amp; &lt;data&gt;');
    expect(svg).not.toContain('<data>');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('refers to nothing outside itself', async () => {
    const svg = await reportSvg(input);
    for (const [, address] of svg.matchAll(/href="([^"]*)"/g)) expect(address).toMatch(/^data:image\/png;base64,/);
    expect(svg).not.toMatch(/<script|url\(http|@import/);
  });

  test('draws every image, and marks wrong ones by name, sign and frame', async () => {
    const svg = await reportSvg(input);
    expect(elementsOf(svg).filter((name) => name === 'image')).toHaveLength(3);
    expect(svg).toContain('The first 3 test images: 2 classified correctly, 1 wrongly');
    expect(svg.match(/<title>wrong<\/title>/g)).toHaveLength(1);
    expect(svg).toContain('>shirt</text>');
    expect(svg).toContain('>is dress</text>');
  });

  test("draws the run's curves and the chapter's: a point an epoch", async () => {
    const svg = await reportSvg(input);
    const points = svg.match(/aria-roledescription="symbol mark container"[\s\S]*?<\/g>/g) ?? [];
    const counts = points.map((group) => (group.match(/<path/g) ?? []).length).sort();
    const published = publishedRun.loss.length;
    expect(counts).toEqual([2, 2, 2, published, published].sort());
  });

  test('can do without complete epochs', async () => {
    const svg = await reportSvg({ ...input, epochs: [], predictions: [] });
    elementsOf(svg);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('can do with one epoch and with many', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({
      epoch: i + 1,
      loss: 1 / (i + 1),
      trainAccuracy: 0.9,
      testAccuracy: 0.9,
    }));
    for (const epochs of [many.slice(0, 1), many])
      expect(await reportSvg({ ...input, epochs })).not.toMatch(/NaN|undefined|Infinity/);
  });
});

test('escapeXml leaves no character that XML reads or forbids', () => {
  expect(escapeXml('<a href="b">&\u0000\u001b')).toBe('&lt;a href=&quot;b&quot;&gt;&amp;');
});
