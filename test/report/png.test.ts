// The PNG encoder: what it writes is decoded again, by hand.
import { crc32, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../lib/errors.js';
import { encodePng, enlarge, pngDataUri } from '../../lib/train/report/png.js';

interface Chunk {
  type: string;
  data: Buffer;
}

/** The chunks of a PNG, with their check sums checked. */
function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const typed = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(typed));
    chunks.push({ type: typed.toString('latin1', 0, 4), data: typed.subarray(4) });
    at += 12 + length;
  }
  return chunks;
}

const image = { pixels: Uint8Array.from([0, 50, 100, 150, 200, 255]), width: 3, height: 2 };

describe('encodePng', () => {
  test('writes a greyscale PNG with every pixel in its place', () => {
    const png = encodePng(image);
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const [header, data, end] = chunksOf(png);
    expect([header?.type, data?.type, end?.type]).toEqual(['IHDR', 'IDAT', 'IEND']);
    expect(header?.data.readUInt32BE(0)).toBe(3);
    expect(header?.data.readUInt32BE(4)).toBe(2);
    expect([...(header?.data.subarray(8) ?? [])]).toEqual([8, 0, 0, 0, 0]);
    expect([...inflateSync(data?.data ?? Buffer.alloc(0))]).toEqual([0, 0, 50, 100, 0, 150, 200, 255]);
  });

  test('writes three channels as RGB', () => {
    const [header, data] = chunksOf(
      encodePng({ pixels: Uint8Array.from([1, 2, 3, 4, 5, 6]), width: 1, height: 2, channels: 3 }),
    );
    expect([...(header?.data.subarray(8) ?? [])]).toEqual([8, 2, 0, 0, 0]);
    expect([...inflateSync(data?.data ?? Buffer.alloc(0))]).toEqual([0, 1, 2, 3, 0, 4, 5, 6]);
  });

  test('writes four channels as RGB with opacity', () => {
    const [header, data] = chunksOf(
      encodePng({ pixels: Uint8Array.from([1, 2, 3, 4]), width: 1, height: 1, channels: 4 }),
    );
    expect([...(header?.data.subarray(8) ?? [])]).toEqual([8, 6, 0, 0, 0]);
    expect([...inflateSync(data?.data ?? Buffer.alloc(0))]).toEqual([0, 1, 2, 3, 4]);
  });

  test.each([
    { ...image, width: 4 },
    { ...image, channels: 3 as const },
    { pixels: new Uint8Array(0), width: 0, height: 0 },
    { ...image, height: -2, width: -3 },
  ])('refuses $width x $height for $pixels.length pixels', (bad) => {
    expect(() => encodePng(bad)).toThrow(ShapeError);
  });
});

test('pngDataUri embeds the same bytes', () => {
  const uri = pngDataUri(image);
  expect(uri).toMatch(/^data:image\/png;base64,/);
  expect(Buffer.from(uri.split(',')[1] ?? '', 'base64').equals(encodePng(image))).toBe(true);
});

test('enlarge repeats every pixel', () => {
  const { pixels, width, height } = enlarge({ pixels: Uint8Array.from([1, 2]), width: 2, height: 1 }, 2);
  expect([width, height]).toEqual([4, 2]);
  expect([...pixels]).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
});
