// Decodes image files (JPEG, PNG, WebP) to bytes: upright, in sRGB, one or three channels, without alpha.
import { readFile } from 'node:fs/promises';
import type { Metadata, Sharp } from 'sharp';
import { ConfigError, DataError } from '../errors.js';
import { checkOptions } from '../options.js';

/** An image in the host's memory. */
export interface HostImage {
  /** From 0 to 255, [channels, height, width] in row-major order. */
  pixels: Uint8Array;
  channels: number;
  height: number;
  width: number;
}

export interface DecodeOptions {
  /** 3 (default): red, green, blue; grey images give three equal channels. 1: luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). */
  channels?: 1 | 3;
  /** What shows through transparent pixels: red, green, blue from 0 to 255. Default white. */
  background?: readonly [red: number, green: number, blue: number];
  /** What error messages call an image that comes as bytes. Default 'the image'. */
  name?: string;
}

/** An image whose header was read. Its pipeline gives upright pixels. */
export interface OpenImage {
  pipeline: Sharp;
  /** Upright size. */
  width: number;
  height: number;
}

/** As many as an image may have: a few bytes may say that they are a billion. */
export const mostPixels = 16_383 ** 2;

const formats: readonly string[] = ['jpeg', 'png', 'webp'];

/**
 * Decodes a file, or the bytes of one. JPEG, PNG and WebP are told by their contents; the EXIF orientation is applied; 16-bit
 * images are reduced to 8 bits. Throws DataError with the file and the reason: missing, empty, cut off, another format.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<HostImage> {
  checkOptions('decodeImage()', options, ['channels', 'background', 'name']);
  const { channels = 3 } = options;
  if (channels !== 1 && channels !== 3) {
    throw new ConfigError(`decodeImage() expected channels to be 1 or 3, got ${channels}.`, { channels });
  }
  const name = typeof source === 'string' ? source : (options.name ?? 'the image');
  const bytes = typeof source === 'string' ? await readImageFile(source) : source;
  const { pipeline } = await openImage(bytes, name, options.background);
  return readPixels(pipeline, channels, name);
}

/** The bytes of a file. Throws DataError. */
export async function readImageFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw imageError(file, `it cannot be read (${(cause as Error).message})`, cause);
  }
}

/** Reads the header, of an image of any size; the pipeline refuses more than `mostPixels`. Throws DataError. */
export async function openImage(
  bytes: Uint8Array,
  name: string,
  background: readonly [number, number, number] = [255, 255, 255],
): Promise<OpenImage> {
  if (bytes.length === 0) throw imageError(name, 'it is empty');
  const [r, g, b] = background;
  const { default: sharp } = await import('sharp'); // at first use: who has no image files need not wait for it
  try {
    // 'error' accepts what other decoders accept too, such as stray bytes between the segments of a JPEG file.
    const options = { failOn: 'error', limitInputPixels: mostPixels } as const;
    const metadata = await sharp(bytes, { ...options, limitInputPixels: false }).metadata(); // the size is told however large
    if (!formats.includes(metadata.format)) throw imageError(name, `it is of the format ${metadata.format}`);
    const pipeline = sharp(bytes, options).autoOrient().flatten({ background: { r, g, b } }).toColourspace('srgb');
    return { pipeline, ...uprightSize(metadata) };
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw imageError(name, reasonOf(cause), cause);
  }
}

function uprightSize({ width, height, orientation = 1 }: Metadata): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height }; // EXIF 5 to 8: rows are columns
}

/** Runs the pipeline and lays its pixels out plane by plane. Throws DataError. */
export async function readPixels(pipeline: Sharp, channels: 1 | 3, name: string): Promise<HostImage> {
  try {
    const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const read = channels === 3 ? toPlanes : toLuma;
    return { pixels: read(data, info.channels, width * height), channels, height, width };
  } catch (cause) {
    throw imageError(name, reasonOf(cause), cause);
  }
}

/** [pixels, channels] -> [3, pixels]; one channel is repeated. */
function toPlanes(interleaved: Uint8Array, channels: number, count: number): Uint8Array {
  const planes = new Uint8Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    const at = channel * count;
    const source = channels < 3 ? 0 : channel;
    for (let i = 0; i < count; i++) planes[at + i] = interleaved[i * channels + source] as number;
  }
  return planes;
}

/** [pixels, channels] -> [1, pixels] */
function toLuma(interleaved: Uint8Array, channels: number, count: number): Uint8Array {
  const luma = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = i * channels;
    const red = interleaved[at] as number;
    luma[i] =
      channels < 3
        ? red
        : Math.round(0.299 * red + 0.587 * (interleaved[at + 1] as number) + 0.114 * (interleaved[at + 2] as number));
  }
  return luma;
}

/** libvips keeps one text for all threads: where several images fail at a time it may be gone, or be that of others too after the first line. */
function reasonOf(cause: unknown): string {
  const text = ((cause as Error).message.trim().split('\n')[0] as string).trim();
  if (text === 'Input image exceeds pixel limit')
    return `it has more than ${mostPixels.toLocaleString('en-US')} pixels`;
  return text === 'Unknown error' ? 'it is damaged' : text;
}

function imageError(file: string, reason: string, cause?: unknown): DataError {
  return new DataError(
    `${file} cannot be decoded: expected a JPEG, PNG or WebP image, but ${reason}.`,
    { file, expected: 'a JPEG, PNG or WebP image', found: reason },
    cause === undefined ? undefined : { cause },
  );
}
