// Judges the bytes of a request before they are decoded: no image, a format that is not taken, more pixels than allowed.
import { openImage } from '../data/image.js';
import { sizeWithShorterSide } from '../data/transforms/geometry.js';
import { DataError } from '../errors.js';
import { HttpError } from './http-error.js';

export interface ImageLimits {
  maxPixels: number;
  /** Pixels that the shorter side is resized to. */
  resize: number;
}

/** What errors call an image that came over the network. */
export const uploadName = 'The image';

/**
 * Throws HttpError: 400 for nothing or a damaged header, 415 for what is no JPEG, PNG or WebP by its first bytes, 413 for more than
 * `maxPixels` in the file, or once its shorter side has been resized: a strip becomes large then. The format is told here, so that decoders of
 * other formats never see what strangers send.
 */
export async function checkImage(
  bytes: Uint8Array,
  contentType: string | undefined,
  { maxPixels, resize }: ImageLimits,
): Promise<void> {
  if (bytes.length === 0) throw new HttpError(400, 'body_empty', 'Expected an image as the body, got nothing.');
  if (!isImage(bytes)) throw new HttpError(415, 'image_format', unknownFormat(contentType));
  const { width, height } = await openImage(bytes, uploadName).catch((error: unknown) => {
    throw error instanceof DataError ? brokenImage(error.message) : error;
  });
  const [resizedHeight, resizedWidth] = sizeWithShorterSide([height, width], resize);
  if (width * height > maxPixels) throw tooLarge(maxPixels, `${width}x${height}`);
  if (resizedWidth * resizedHeight > maxPixels)
    throw tooLarge(maxPixels, `${width}x${height}, ${resizedWidth}x${resizedHeight} once resized`);
}

function tooLarge(maxPixels: number, found: string): HttpError {
  return new HttpError(413, 'image_too_large', `Expected an image of at most ${maxPixels} pixels, got ${found}.`);
}

export function brokenImage(message: string): HttpError {
  return new HttpError(400, 'image_broken', message);
}

/** JPEG: SOI and the start of a marker; PNG: its signature; WebP: a RIFF file of that kind. */
function isImage(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  return (
    head.startsWith('\xff\xd8\xff') ||
    head.startsWith('\x89PNG\r\n\x1a\n') ||
    (head.startsWith('RIFF') && head.endsWith('WEBP'))
  );
}

function unknownFormat(contentType: string | undefined): string {
  if (contentType?.startsWith('multipart/form-data'))
    return 'Expected the image itself as the body, got a form: send the bytes of the file (curl --data-binary @FILE).';
  return 'Expected a JPEG, PNG or WebP image, got another format.';
}
