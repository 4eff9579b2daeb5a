// decodeImage: formats, orientation, channels, transparency, depth, and files that are no images.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../lib/data/index.js';
import { rejection, temporaryFolder } from './idx-files.js';
import { claimingSize, fromPixels, gradient, noisy, planar } from './image-bytes.js';

const folder = temporaryFolder();
const six = [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 40, 50, 60, 70, 80, 90]; // 3 wide, 2 high
const picture = () => fromPixels(six, 3, 2);

describe('pixels', () => {
  test.each([
    ['PNG', () => picture().png()],
    ['WebP', () => picture().webp({ lossless: true })],
    ['PNG with a palette', () => picture().png({ palette: true })],
    ['interlaced PNG', () => picture().png({ progressive: true })],
  ])('of a %s file are exact, plane by plane', async (_, make) => {
    const image = await decodeImage(await make().toBuffer());
    expect(image).toMatchObject({ channels: 3, height: 2, width: 3 });
    expect([...image.pixels]).toEqual(planar(six, 3));
  });

  test('of a JPEG file are close', async () => {
    const bytes = await gradient(40, 30).jpeg({ quality: 95 }).toBuffer();
    const image = await decodeImage(await folder.write('a.jpeg', bytes));
    const expected = planar(await gradient(40, 30).raw().toBuffer(), 3);
    expect(image.pixels.length).toBe(expected.length);
    for (const [i, value] of image.pixels.entries()) expect(Math.abs(value - (expected[i] as number))).toBeLessThan(9);
  });

  test('of one pixel', async () => {
    const image = await decodeImage(await fromPixels([1, 2, 3], 1, 1).png().toBuffer());
    expect(image).toEqual({ pixels: Uint8Array.of(1, 2, 3), channels: 3, height: 1, width: 1 });
  });

  // EXIF orientation -> what the stored pixel numbers, 0 to 5 in two rows of three, look like upright.
  test.each([
    [1, 2, [0, 1, 2, 3, 4, 5]],
    [2, 2, [2, 1, 0, 5, 4, 3]],
    [3, 2, [5, 4, 3, 2, 1, 0]],
    [4, 2, [3, 4, 5, 0, 1, 2]],
    [5, 3, [0, 3, 1, 4, 2, 5]],
    [6, 3, [3, 0, 4, 1, 5, 2]],
    [7, 3, [5, 2, 4, 1, 3, 0]],
    [8, 3, [2, 5, 1, 4, 0, 3]],
  ])('are turned upright: EXIF orientation %i', async (orientation, height, order) => {
    const levels = [0, 50, 100, 150, 200, 250];
    const pixels = levels.flatMap((level) => [level, level, level]);
    const bytes = await fromPixels(pixels, 3, 2).withMetadata({ orientation }).jpeg({ quality: 100 }).toBuffer();
    const image = await decodeImage(bytes, { channels: 1 });
    expect([image.height, image.width]).toEqual([height, 6 / height]);
    expect([...image.pixels].map((value) => Math.round(value / 50))).toEqual(order);
  });
});

describe('channels', () => {
  test('of a grey image are repeated, or one', async () => {
    const grey = await fromPixels([1, 2, 3, 250], 2, 2, 1).toColourspace('b-w').png().toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    expect([...(await decodeImage(grey)).pixels]).toEqual([1, 2, 3, 250, 1, 2, 3, 250, 1, 2, 3, 250]);
    expect([...(await decodeImage(grey, { channels: 1 })).pixels]).toEqual([1, 2, 3, 250]);
  });

  test('of a coloured image become luma', async () => {
    const image = await decodeImage(await picture().png().toBuffer(), { channels: 1 });
    const luma = (r: number, g: number, b: number) => Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    expect(image.channels).toBe(1);
    expect([...image.pixels]).toEqual([
      luma(255, 0, 0),
      luma(0, 255, 0),
      luma(0, 0, 255),
      luma(10, 20, 30),
      luma(40, 50, 60),
      luma(70, 80, 90),
    ]);
  });

  test('show the background through transparent pixels', async () => {
    const bytes = await fromPixels([255, 0, 0, 255, 255, 0, 0, 0, 255, 0, 0, 51], 3, 1, 4).png().toBuffer();
    expect([...(await decodeImage(bytes)).pixels]).toEqual([255, 255, 255, 0, 255, 204, 0, 255, 204]);
    const blue = await decodeImage(bytes, { background: [0, 0, 255] });
    expect([...blue.pixels]).toEqual([255, 0, 51, 0, 0, 0, 0, 255, 204]);
  });

  test('of grey and alpha', async () => {
    const rgba = await fromPixels([7, 7, 7, 255, 9, 9, 9, 0], 2, 1, 4).toColourspace('b-w').png().toBuffer();
    expect((await sharp(rgba).metadata()).channels).toBe(2);
    expect([...(await decodeImage(rgba)).pixels]).toEqual([7, 255, 7, 255, 7, 255]);
  });

  test('of CMYK become red, green and blue', async () => {
    const bytes = await gradient(16, 16).toColourspace('cmyk').jpeg().toBuffer();
    expect((await sharp(bytes).metadata()).channels).toBe(4);
    expect((await decodeImage(bytes)).pixels.length).toBe(3 * 256);
  });
});

test('16 bits are reduced to 8, in colour and grey', async () => {
  const values = Uint16Array.of(65535, 0, 32768, 256, 512, 1024);
  const colour = sharp(values, { raw: { width: 2, height: 1, channels: 3 } }).toColourspace('rgb16');
  expect([...(await decodeImage(await colour.png().toBuffer())).pixels]).toEqual([255, 1, 0, 2, 128, 4]);
  const grey = sharp(values, { raw: { width: 6, height: 1, channels: 1 } }).toColourspace('grey16');
  const image = await decodeImage(await grey.png().toBuffer(), { channels: 1 });
  expect([...image.pixels]).toEqual([255, 0, 128, 1, 2, 4]);
});

describe('failures are DataErrors with the file and the reason', () => {
  test.each([
    ['an empty file', () => new Uint8Array(0), /it is empty/],
    ['text', () => Buffer.from('not an image'), /unsupported image format/],
    ['half a JPEG file', async () => cut(await noisy(64, 64).jpeg().toBuffer()), /premature end/],
    ['half a PNG file', async () => cut(await noisy(64, 64).png().toBuffer()), /png/i],
    ['half a WebP file', async () => cut(await noisy(64, 64).webp().toBuffer()), /webp/i],
    ['a bomb', () => claimingSize(40_000, 40_000), /it has more than 268,402,689 pixels/],
    ['another format', () => gradient(8, 8).gif().toBuffer(), /it is of the format gif/],
    [
      'SVG',
      () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'),
      /it is of the format svg/,
    ],
  ])('%s', async (name, make, reason) => {
    const file = await folder.write(`${name.replaceAll(' ', '-')}.jpg`, await make());
    const error = await rejection(decodeImage(file));
    expect(error).toMatchObject({ code: 'DATA_ERROR', details: { file } });
    expect(error.message).toContain(file);
    expect(error.message).toMatch(reason);
  });

  const cut = (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1);

  test('the reason is one sentence, where many images fail at a time, too', async () => {
    const cut = (await picture().jpeg().toBuffer()).subarray(0, 200);
    const errors = await Promise.all(Array.from({ length: 16 }, () => rejection(decodeImage(cut))));
    for (const { message } of errors) expect(message).toMatch(/^the image cannot be decoded: [^\n]+\.$/);
    expect(errors.filter(({ message }) => message.split('VipsJpeg').length > 2)).toEqual([]);
  });

  test('a missing file, a folder', async () => {
    const missing = join(folder.path(), 'missing.png');
    expect(await rejection(decodeImage(missing))).toMatchObject({ code: 'DATA_ERROR', details: { file: missing } });
    const inside = join(folder.path(), 'folder.png');
    await mkdir(inside);
    expect(await rejection(decodeImage(inside))).toMatchObject({ code: 'DATA_ERROR', details: { file: inside } });
  });

  test('bytes are called by the given name', async () => {
    expect((await rejection(decodeImage(new Uint8Array(3), { name: 'upload 7' }))).message).toMatch(/^upload 7 cannot/);
  });

  test('options are ConfigErrors', async () => {
    for (const options of [{ channels: 2 }, { channel: 1 }, null])
      expect(await rejection(decodeImage(new Uint8Array(3), options as never))).toMatchObject({ code: 'CONFIG_ERROR' });
  });
});

test('a JPEG file named .png is decoded by its contents', async () => {
  const file = await folder.write('wrong.png', await gradient(8, 6).jpeg().toBuffer());
  expect(await decodeImage(file)).toMatchObject({ height: 6, width: 8 });
});
