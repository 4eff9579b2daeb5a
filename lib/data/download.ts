// Downloads a file: goes on where it was interrupted, checks the digest, renames when all is there.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DataError, ResiduaError } from '../errors.js';
import { checkInteger, checkOptions } from '../options.js';
import { type DownloadProgress, progressBar } from './download-progress.js';
import { requestFrom } from './download-request.js';

export interface DownloadOptions {
  /** Digests (hex) that the file must have. */
  md5?: string;
  sha256?: string;
  /** true: a bar on standard error, where that is a terminal. Or a function that is told, some times a second. Default: nothing. */
  progress?: boolean | ((progress: DownloadProgress) => void);
  /** How often in a row it may fail without a single new byte. Default 4. */
  attempts?: number;
  /** Pause before the second attempt in milliseconds, doubled before each further one. Default 500. */
  retryDelay?: number;
  /** After so many milliseconds without a byte, an attempt has failed. Default 30,000. */
  idleTimeout?: number;
}

/**
 * Downloads `url` to `file`, by way of `file.part`, which a later call goes on with (HTTP Range). Throws DataError: no connection, with
 * what to do by hand; the server's refusal; another content than the digests say; no room for it.
 */
export async function downloadFile(url: string, file: string, options: DownloadOptions = {}): Promise<void> {
  const where = 'downloadFile()';
  checkOptions(where, options, ['md5', 'sha256', 'progress', 'attempts', 'retryDelay', 'idleTimeout']);
  const attempts = checkInteger(where, 'attempts', options.attempts ?? 4, 1);
  const part = `${file}.part`;
  await mkdir(dirname(file), { recursive: true });
  const tell = options.progress === true ? progressBar(basename(file)) : options.progress || undefined;
  const resumed = await sizeOf(part);
  try {
    await receiveAll(url, part, file, attempts, options, tell);
    const wrong = await wrongDigest(part, options);
    if (wrong && resumed === 0) throw await wrongContent(url, part, wrong);
    if (wrong) {
      // What lay there from an earlier time may have belonged to something else.
      await rm(part);
      await receiveAll(url, part, file, attempts, options, tell);
      const again = await wrongDigest(part, options);
      if (again) throw await wrongContent(url, part, again);
    }
  } finally {
    if (options.progress === true) tell?.({ file, received: 0, total: undefined, done: true });
  }
  await rename(part, file);
}

async function receiveAll(
  url: string,
  part: string,
  file: string,
  attempts: number,
  { retryDelay = 500, idleTimeout = 30_000 }: DownloadOptions,
  tell: ((progress: DownloadProgress) => void) | undefined,
): Promise<void> {
  const handle = await open(part, 'a+');
  try {
    for (let failures = 0; ; ) {
      const before = (await handle.stat()).size;
      try {
        await receive(url, part, handle, before, idleTimeout, (received, total) =>
          tell?.({ file, received, total, done: received === total }),
        );
        await handle.sync();
        return;
      } catch (cause) {
        if (cause instanceof ResiduaError) throw cause;
        failures = (await handle.stat()).size > before ? 1 : failures + 1;
        if (failures >= attempts) throw unreachable(url, file, cause);
        await wait(retryDelay * 2 ** (failures - 1));
      }
    }
  } finally {
    await handle.close();
  }
}

/** One attempt, from byte `from` on. */
async function receive(
  url: string,
  part: string,
  handle: FileHandle,
  from: number,
  idleTimeout: number,
  tell: (received: number, total: number | undefined) => void,
): Promise<void> {
  const answer = await requestFrom(url, from, idleTimeout);
  if (answer.start !== from) await handle.truncate(answer.start); // only 0: the server sends all of it again
  let received = answer.start;
  for await (const chunk of answer.chunks) {
    await append(handle, part, chunk);
    received += chunk.length;
    tell(received, answer.total);
  }
  if (answer.total !== undefined && received !== answer.total)
    throw new Error(`the connection ended after ${received} of ${answer.total} bytes`);
}

/** Writes all of it. A full disk is no connection that failed: trying again would not help. */
async function append(handle: FileHandle, file: string, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
  } catch (cause) {
    const found = (cause as Error).message;
    const remedy = 'Make room, then try again, which goes on from here.';
    throw new DataError(
      `${file}: what is downloaded cannot be written (${found}). ${remedy}`,
      { file, found },
      { cause },
    );
  }
}

interface WrongDigest {
  algorithm: 'md5' | 'sha256';
  expected: string;
  found: string;
}

async function wrongDigest(file: string, options: DownloadOptions): Promise<WrongDigest | undefined> {
  for (const algorithm of ['sha256', 'md5'] as const) {
    const expected = options[algorithm];
    if (expected === undefined) continue;
    const hash = createHash(algorithm);
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    const found = hash.digest('hex');
    if (found !== expected.toLowerCase()) return { algorithm, expected, found };
  }
  return undefined;
}

/** The error of a wrong content; what was received is thrown away. */
async function wrongContent(
  url: string,
  part: string,
  { algorithm, expected, found }: WrongDigest,
): Promise<DataError> {
  await rm(part);
  return new DataError(
    `${url} has another content than it should: expected the ${algorithm.toUpperCase()} digest ${expected}, found ${found}. It was not kept.`,
    { file: url, expected, found },
  );
}

function unreachable(url: string, file: string, cause: unknown): DataError {
  const { message, cause: inner } = cause as Error & { cause?: Error };
  const reason = inner?.message ? `${message}: ${inner.message}` : message;
  return new DataError(
    `${url} cannot be downloaded (${reason}). Is this machine offline? Try again later, which goes on from here, or download it elsewhere and put it at ${file}.`,
    { file, url, expected: 'a connection', found: reason },
    { cause },
  );
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;
