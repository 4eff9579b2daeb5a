// Takes single files out of a gzipped tar archive (POSIX ustar).
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from '../errors.js';

const block = 512;

/** What is read at the moment: a header, or the content of a file and the padding after it. */
interface Entry {
  file: { handle: FileHandle; temporary: string; final: string } | undefined;
  content: number;
  padding: number;
}

/**
 * Writes the wanted files, named by the last part of their path, into the folder; others are passed over. A file gets its name when all of
 * it is there. Throws DataError: a damaged or cut archive, a wanted file that is not in it.
 */
export async function extractTarGz(archive: string, folder: string, wanted: readonly string[]): Promise<void> {
  const missing = new Set(wanted);
  const content = pipeline(createReadStream(archive), createGunzip(), () => {}); // errors reach the loop below
  let header = new Uint8Array(0);
  let entry: Entry | undefined;
  try {
    for await (const chunk of content) {
      let bytes = chunk as Uint8Array;
      while (bytes.length > 0) {
        if (entry) {
          bytes = await consume(entry, bytes);
          if (entry.content === 0) await finish(entry, missing);
          if (entry.content === 0 && entry.padding === 0) entry = undefined;
          continue;
        }
        const needed = block - header.length;
        header = Buffer.concat([header, bytes.subarray(0, needed)]);
        bytes = bytes.subarray(needed);
        if (header.length < block) continue;
        entry = await begin(archive, header, folder, missing);
        header = new Uint8Array(0);
      }
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw archiveError(archive, (cause as Error).message, cause);
  } finally {
    await entry?.file?.handle.close();
  }
  if (entry && entry.content > 0) throw archiveError(archive, 'it ends within a file');
  if (missing.size > 0) throw archiveError(archive, `it has no file ${[...missing].join(', ')}`);
}

/** Reads a header. undefined for the zeros at the end and for entries without content. */
async function begin(
  archive: string,
  header: Uint8Array,
  folder: string,
  missing: ReadonlySet<string>,
): Promise<Entry | undefined> {
  if (header.every((byte) => byte === 0)) return undefined;
  const text = (from: number, to: number): string =>
    Buffer.from(header.subarray(from, to)).toString('latin1').replace(/\0.*/s, '');
  const content = Number.parseInt(text(124, 136).trim(), 8);
  if (!Number.isSafeInteger(content)) throw archiveError(archive, 'it is no tar archive');
  const padding = (block - (content % block)) % block;
  const name = text(0, 100).split('/').at(-1) as string;
  const isFile = ['0', ''].includes(text(156, 157));
  if (content === 0) return undefined;
  if (!isFile || !missing.has(name)) return { file: undefined, content, padding };
  const final = join(folder, name);
  const temporary = `${final}.part`;
  return { file: { handle: await open(temporary, 'w'), temporary, final }, content, padding };
}

/** Takes what belongs to the entry; returns the rest. */
async function consume(entry: Entry, bytes: Uint8Array): Promise<Uint8Array> {
  const content = Math.min(entry.content, bytes.length);
  if (content > 0) await entry.file?.handle.write(bytes.subarray(0, content));
  entry.content -= content;
  const padding = Math.min(entry.padding, bytes.length - content);
  entry.padding -= padding;
  return bytes.subarray(content + padding);
}

async function finish(entry: Entry, missing: Set<string>): Promise<void> {
  if (!entry.file) return;
  const { handle, temporary, final } = entry.file;
  entry.file = undefined;
  await handle.sync();
  await handle.close();
  await rename(temporary, final);
  missing.delete(final.split('/').at(-1) as string);
}

function archiveError(archive: string, reason: string, cause?: unknown): DataError {
  return new DataError(
    `${archive} cannot be unpacked: ${reason}.`,
    { file: archive, expected: 'a gzipped tar archive', found: reason },
    { cause },
  );
}
