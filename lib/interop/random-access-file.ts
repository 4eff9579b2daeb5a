// A file that is read piece by piece.
import { type FileHandle, open } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import { refuse } from './refuse.js';

const largestRead = 2 ** 30; // the system takes less than 2 GiB at once

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

  /** `length` bytes from `offset` on. Throws where the file has fewer. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || length < 0 || offset + length > this.size)
      refuse(
        this.file,
        `expected ${length} bytes from byte ${offset} on, found ${Math.max(0, this.size - offset)}: the file is cut short.`,
        { offset, expected: length, found: Math.max(0, this.size - offset) },
      );
    const bytes = Buffer.allocUnsafeSlow(length); // not from the pool: its memory begins where it does, aligned
    let position = 0;
    while (position < length) {
      const { bytesRead } = await readable(
        this.file,
        this.#handle.read(bytes, position, Math.min(length - position, largestRead), offset + position),
      );
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

async function readable<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new CheckpointError(`${file}: cannot be read: ${(cause as Error).message}`, { file }, { cause });
  }
}
