// Reads IDX files, the format of MNIST and Fashion-MNIST, plain or gzipped, and checks every part of their structure.
import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError, OutOfMemoryError, ResiduaError } from '../errors.js';

/** An array of unsigned bytes, in row-major order. */
export interface IdxArray {
  dims: readonly number[];
  values: Uint8Array;
}

export interface IdxOptions {
  /** The dimensions that the file must have; null stands for any size. Default: anything. */
  dims?: readonly (number | null)[];
  /** The SHA-256 digest (hex) that the uncompressed content must have: gzip wrappers differ, contents do not. */
  sha256?: string;
  /** The largest uncompressed content that is read, in bytes. Default 2 GiB. */
  maxBytes?: number;
}

const readChunk = 1 << 18;
const deflateLimit = 1032; // DEFLATE cannot shrink data more than this (zlib's technical details, "maximum compression factor")
const maxDims = 8;
const unsignedByte = 0x08; // the one element type of the IDX format that these data sets use

const hex = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, (b) => `0x${b.toString(16).padStart(2, '0')}`).join(' ');

function idxError(
  file: string,
  offset: number,
  expected: string,
  found: string,
  note = '',
  cause?: unknown,
): DataError {
  const message = `IDX file ${file}, byte ${offset}${note}: expected ${expected}, found ${found}.`;
  return new DataError(message, { file, offset, expected, found }, cause === undefined ? undefined : { cause });
}

/**
 * Reads an IDX file of unsigned bytes; gzip is recognised by its content, not by the name. Memory stays bounded by the
 * header's counts, which are checked before anything is allocated. Throws DataError with file, offset, expected and found;
 * offsets count in the uncompressed content, except for a damaged gzip stream, where they count in the file.
 */
export async function readIdx(file: string, options: IdxOptions = {}): Promise<IdxArray> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    const magic = new Uint8Array(2);
    await handle.read(magic, 0, 2, 0);
    const gzipped = magic[0] === 0x1f && magic[1] === 0x8b;
    const parser = new IdxParser(file, options, gzipped ? size * deflateLimit : size, !gzipped);
    if (gzipped) await readGzip(file, handle, size, parser);
    else await readPlain(handle, parser);
    return parser.finish();
  } catch (cause) {
    if (cause instanceof ResiduaError) throw cause;
    throw new DataError(`${file} cannot be read: ${(cause as Error).message}.`, { file }, { cause });
  } finally {
    await handle.close();
  }
}

/** Opens a regular file; a pipe or a folder is refused before it can block. */
async function openFile(file: string): Promise<FileHandle> {
  let isFile: boolean;
  try {
    isFile = (await stat(file)).isFile();
    if (isFile) return await open(file, 'r');
  } catch (cause) {
    throw new DataError(
      `${file} cannot be opened: ${(cause as Error).message}.`,
      { file, expected: 'a readable file' },
      { cause },
    );
  }
  throw new DataError(`${file} cannot be read: expected a regular file.`, {
    file,
    expected: 'a regular file',
    found: 'something else',
  });
}

async function readPlain(handle: FileHandle, parser: IdxParser): Promise<void> {
  const source = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: readChunk });
  for await (const chunk of source) parser.push(chunk as Uint8Array);
}

async function readGzip(file: string, handle: FileHandle, size: number, parser: IdxParser): Promise<void> {
  const source = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: readChunk });
  const gunzip = createGunzip({ chunkSize: readChunk });
  const content = pipeline(source, gunzip, () => {}); // errors reach the loop below
  try {
    for await (const chunk of content) parser.push(chunk as Uint8Array);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (cause instanceof ResiduaError || !code?.startsWith('Z_')) throw cause;
    // zlib tells how much it took in before the damaged piece: the damage is there or later.
    const isCut = code === 'Z_BUF_ERROR';
    const offset = isCut ? size : gunzip.bytesWritten;
    const note = ` of the compressed file${isCut ? '' : ' or later'} (after ${parser.position} bytes of content)`;
    throw idxError(
      file,
      offset,
      isCut ? 'more compressed data' : 'valid gzip data',
      isCut ? 'its end' : message,
      note,
      cause,
    );
  }
  if (gunzip.bytesWritten < size) {
    throw idxError(
      file,
      gunzip.bytesWritten,
      'the end of the file',
      `${size - gunzip.bytesWritten} more bytes`,
      ' of the compressed file',
    );
  }
}

/** Takes the content piece by piece: header, counts, values. */
class IdxParser {
  /** Bytes of content taken so far. */
  position = 0;
  readonly #file: string;
  readonly #options: IdxOptions;
  readonly #atMost: number;
  readonly #exact: boolean;
  readonly #hash;
  readonly #header = new Uint8Array(4 + 4 * maxDims);
  #headerLength = Number.POSITIVE_INFINITY; // known after four bytes
  #dims: number[] = [];
  #values: Uint8Array | undefined;

  /** `atMost`: how many bytes of content there can be; `exact`: that there are just so many. */
  constructor(file: string, options: IdxOptions, atMost: number, exact: boolean) {
    this.#file = file;
    this.#options = options;
    this.#atMost = atMost;
    this.#exact = exact;
    this.#hash = options.sha256 ? createHash('sha256') : undefined;
  }

  push(chunk: Uint8Array): void {
    let taken = 0;
    while (!this.#values && taken < chunk.length) this.#pushHeaderByte(chunk[taken++] as number);
    const rest = chunk.subarray(taken);
    if (rest.length > 0) this.#pushValues(rest, this.#values as Uint8Array);
    this.#hash?.update(chunk);
  }

  finish(): IdxArray {
    const total = this.#headerLength + (this.#values?.length ?? 0);
    if (!this.#values || this.position < total) {
      const expected = this.#values
        ? `${total} bytes (header and ${this.#dims.join(' x ')} values)`
        : 'the rest of the header';
      throw this.#error(this.position, expected, 'the end of the content');
    }
    const digest = this.#hash?.digest('hex');
    if (digest !== this.#options.sha256) {
      throw this.#error(0, `content with SHA-256 ${this.#options.sha256}`, `SHA-256 ${digest}`);
    }
    return { dims: this.#dims, values: this.#values };
  }

  #pushHeaderByte(byte: number): void {
    this.#header[this.position++] = byte;
    if (this.position === 4) this.#headerLength = 4 + 4 * this.#checkMagic();
    if (this.position === this.#headerLength) this.#values = this.#allocate();
  }

  #pushValues(bytes: Uint8Array, values: Uint8Array): void {
    const at = this.position - this.#headerLength;
    if (at + bytes.length > values.length) {
      throw this.#error(
        this.#headerLength + values.length,
        `the end after ${this.#dims.join(' x ')} values`,
        'trailing bytes',
      );
    }
    values.set(bytes, at);
    this.position += bytes.length;
  }

  /** Checks the first four bytes and returns the number of dimensions. */
  #checkMagic(): number {
    const [zero0, zero1, type, ndim] = this.#header as unknown as [number, number, number, number];
    if (zero0 !== 0 || zero1 !== 0)
      throw this.#error(0, 'the magic number 0x00 0x00 of an IDX file', hex([zero0, zero1]));
    if (type !== unsignedByte) throw this.#error(2, `the type ${hex([unsignedByte])} (unsigned byte)`, hex([type]));
    const wanted = this.#options.dims?.length;
    if (wanted !== undefined && ndim !== wanted) throw this.#error(3, `${wanted} dimensions`, `${ndim}`);
    if (ndim < 1 || ndim > maxDims) throw this.#error(3, `1 to ${maxDims} dimensions`, `${ndim}`);
    return ndim;
  }

  /** Checks the counts and makes room for the values. */
  #allocate(): Uint8Array {
    const view = new DataView(this.#header.buffer);
    this.#dims = Array.from({ length: (this.#headerLength - 4) / 4 }, (_, i) => view.getUint32(4 + 4 * i));
    for (const [i, found] of this.#dims.entries()) {
      const wanted = this.#options.dims?.[i] ?? found;
      if (found !== wanted) throw this.#error(4 + 4 * i, `${wanted} as the size of dimension ${i}`, `${found}`);
    }
    const count = this.#dims.reduce((n, d) => n * d, 1);
    const total = this.#headerLength + count;
    const maxBytes = this.#options.maxBytes ?? 2 ** 31;
    if (total > maxBytes)
      throw this.#error(4, `at most ${maxBytes} bytes`, `counts ${this.#dims.join(' x ')} for ${total} bytes`);
    if (total > this.#atMost) {
      const expected = `${total} bytes (header and ${this.#dims.join(' x ')} values)`;
      throw this.#error(
        this.#exact ? this.#atMost : 4,
        expected,
        this.#exact ? 'the end of the file' : `room for at most ${this.#atMost}`,
      );
    }
    try {
      return new Uint8Array(count);
    } catch (cause) {
      throw new OutOfMemoryError(
        `${this.#file} needs ${count} bytes of memory, which cannot be had.`,
        { bytesAsked: count, file: this.#file },
        { cause },
      );
    }
  }

  #error(offset: number, expected: string, found: string): DataError {
    return idxError(this.#file, offset, expected, found);
  }
}
