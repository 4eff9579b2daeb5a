// Makes IDX files for tests.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';

/** IDX content: header for the counts, then the values. */
export function idxBytes(dims: readonly number[], values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dims.length + values.length);
  bytes.set([0, 0, 8, dims.length]);
  const view = new DataView(bytes.buffer);
  for (const [i, d] of dims.entries()) view.setUint32(4 + 4 * i, d);
  bytes.set(values, 4 + 4 * dims.length);
  return bytes;
}

/** Values 0, 1, 2, ... modulo 251. */
export function countUp(n: number): Uint8Array {
  return Uint8Array.from({ length: n }, (_, i) => i % 251);
}

/** A folder for the tests of a file, and how to write into it. */
export function temporaryFolder(): {
  path: () => string;
  write: (name: string, bytes: Uint8Array) => Promise<string>;
  gzip: typeof gzipSync;
} {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'residua-data-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  return {
    path: () => folder,
    gzip: gzipSync,
    write: async (name, bytes) => {
      const file = join(folder, name);
      await writeFile(file, bytes);
      return file;
    },
  };
}

/** The error that a promise is rejected with. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; details?: Record<string, unknown> }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('Expected a rejection, but the promise was fulfilled.');
}
