// Reads the body of a request whole, within limits of size and time.
import type { IncomingMessage } from 'node:http';
import { ClientGone, HttpError } from './http-error.js';

export interface BodyLimits {
  maxBytes: number;
  /** Milliseconds from the head of the request to the end of its body. */
  bodyTimeout: number;
}

/**
 * Rejects with HttpError 413 (too many bytes), 408 (too slow) or 415 (compressed), and with ClientGone where the connection ends before the
 * body does. What follows the limit is read and dropped, so that a client that still writes can read the answer.
 */
export function readBody(request: IncomingMessage, { maxBytes, bodyTimeout }: BodyLimits): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    return Promise.reject(
      new HttpError(415, 'encoding_unsupported', `Expected a body without Content-Encoding, got ${encoding}.`),
    );
  if (Number(request.headers['content-length']) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', end).off('close', gone).resume();
      action();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const take = (chunk: Uint8Array): void => {
      length += chunk.length;
      if (length > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const end = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const gone = (): void => fail(new ClientGone());
    const timer = setTimeout(() => fail(tooSlow(bodyTimeout)), bodyTimeout);
    request.on('data', take).on('end', end).on('close', gone);
    request.on('error', () => {}); // 'close' follows
  });
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'body_too_large', `Expected an image of at most ${maxBytes} bytes.`);
}

function tooSlow(bodyTimeout: number): HttpError {
  const message = `Expected the whole body within ${bodyTimeout / 1000} seconds.`;
  return new HttpError(408, 'body_too_slow', message, { connection: 'close' });
}
