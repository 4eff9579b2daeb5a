// One HTTP request for a file or for what is still missing of it.
import { DataError } from '../errors.js';

export interface Answer {
  /** The byte of the file with which the chunks begin. */
  start: number;
  /** Size of the whole file, where the server says it. */
  total: number | undefined;
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * Asks for the bytes from `from` on. A server that does not know of ranges sends all: `start` is then 0. Throws DataError where asking again
 * would not help (status 4xx but 408 and 429), and other errors where it might.
 */
export async function requestFrom(url: string, from: number, idleTimeout: number): Promise<Answer> {
  const idle = new IdleTimer(idleTimeout);
  // Compression on the way would make other bytes of it than the digests are for.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (from > 0) headers.range = `bytes=${from}-`;
  try {
    const response = await fetch(url, { headers, signal: idle.signal });
    const range = response.headers.get('content-range');
    if (response.status === 416 && from > 0) {
      await response.body?.cancel();
      idle.stop();
      // There is nothing after what we have: it is all, or it is of something else.
      return totalOf(range) === from
        ? { start: from, total: from, chunks: none() }
        : await requestFrom(url, 0, idleTimeout);
    }
    if (!response.ok || !response.body) throw await refusal(url, response);
    const isPart = response.status === 206;
    if (isPart && !range?.startsWith(`bytes ${from}-`)) throw new Error(`the server sent the range ${range}`);
    const length = response.headers.get('content-length');
    const start = isPart ? from : 0;
    const total = isPart ? totalOf(range) : length === null ? undefined : Number(length);
    return { start, total, chunks: idle.watch(response.body) };
  } catch (error) {
    idle.stop();
    throw error;
  }
}

/** 1000 of 'bytes 200-999/1000'. */
function totalOf(range: string | null): number | undefined {
  const total = Number(range?.split('/')[1]);
  return Number.isFinite(total) ? total : undefined;
}

async function refusal(url: string, response: Response): Promise<Error> {
  await response.body?.cancel();
  const { status } = response;
  const text = `the server answered ${status} ${response.statusText}`.trim();
  if (status >= 500 || status === 408 || status === 429) return new Error(text);
  return new DataError(`${url} cannot be downloaded: ${text}.`, { file: url, expected: 'status 200', found: status });
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** Aborts a request in which nothing has come for a while. */
class IdleTimer {
  readonly #abort = new AbortController();
  readonly #milliseconds: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.#restart();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async *watch(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of chunks) {
        this.stop(); // the receiver may take its time
        yield chunk;
        this.#restart();
      }
    } finally {
      this.stop();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #restart(): void {
    const reason = new Error(`nothing was received for ${this.#milliseconds / 1000} seconds`);
    this.#timer = setTimeout(() => this.#abort.abort(reason), this.#milliseconds);
  }
}
