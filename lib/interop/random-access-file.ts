// A file that is read piece by piece.
import { type FileHandle, open } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import { refuse } from './refuse.js';

const largestRead = 2 ** 30; // the system takes less than 2 GiB at once
const largestTensor = 2 ** 33; // bytes; an array has at most 2^32 elements

/** A regular file, opened for reading. Its errors are CheckpointErrors that name it. */
export class RandomAccessFile {
  readonly file: string;
  /** In bytes, as it was when the file was opened. */
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(file: string, size: number, handle: FileHandle) {
    this.file = file;
    this.size = size;
    this.#handle = handle;
  }

  static async open(file: string): Promise<RandomAccessFile> {
    const handle = await readable(file, open(file, 'r'));
    try {
      const stat = await readable(file, handle.stat());
      if (!stat.isFile()) refuse(file, 'expected a regular file.');
      return new RandomAccessFile(file, stat.size, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** `length` bytes from `offset` on: a header or a pickle, at most 4 GiB. Throws where the file has fewer. */
  async read(offset: number, length: number): Promise<Buffer> {
    return Buffer.from(await this.readValues(offset, length));
  }

  /** `length` bytes from `offset` on, in memory of their own: of a tensor, which may be larger than a Buffer. */
  async readValues(offset: number, length: number): Promise<ArrayBuffer> {
    if (offset < 0 || length < 0 || offset + length > this.size)
      refuse(
        this.file,
        `expected ${length} bytes from byte ${offset} on, found ${Math.max(0, this.size - offset)}: the file is cut short.`,
        { offset, expected: length, found: Math.max(0, this.size - offset) },
      );
    const bytes = memoryFor(this.file, offset, length);
    let position = 0;
    while (position < length) {
      const piece = new Uint8Array(bytes, position, Math.min(length - position, largestRead));
      const { bytesRead } = await readable(this.file, this.#handle.read(piece, 0, piece.length, offset + position));
      if (bytesRead === 0)
        refuse(this.file, `expected ${this.size} bytes, found ${offset + position}: it was cut while it was read.`, {
          expected: this.size,
          found: offset + position,
        });
      position += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** A sparse file may be larger than memory. */
function memoryFor(file: string, offset: number, length: number): ArrayBuffer {
  try {
    if (length <= largestTensor) return new ArrayBuffer(length);
  } catch {} // there is not so much
  return refuse(
    file,
    `expected a tensor that fits into memory, at most ${largestTensor} bytes, found one of ${length} at byte ${offset}.`,
    { offset, expected: largestTensor, found: length },
  );
}

async function readable<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new CheckpointError(`${file}: cannot be read: ${(cause as Error).message}`, { file }, { cause });
  }
}
