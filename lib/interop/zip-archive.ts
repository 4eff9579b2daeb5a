// The directory of a zip file whose entries are stored as they are, with ZIP64's large sizes: what torch.save writes.
// Format: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification" 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
import type { RandomAccessFile } from './random-access-file.js';
import { refuse } from './refuse.js';

/** Where an entry is in the file. */
export interface ZipEntry {
  name: string;
  /** Of its bytes, which are stored as they are. */
  size: number;
  /** Of its local header, which its bytes follow. */
  headerOffset: number;
  /** Where the next entry's header, or the directory, begins. */
  limit: number;
}

const signatures = {
  localHeader: 0x04034b50,
  entry: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const endSize = 22;
const end64Size = 56;
const locatorSize = 20;
const localHeaderSize = 30;
const entrySize = 46;
const largestComment = 0xffff;
const largestDirectory = 64 * 2 ** 20; // bytes: hundreds of thousands of entries

/** Reads the directory. Throws CheckpointError where it is damaged, or where an entry is compressed or encrypted. */
export async function readZipDirectory(source: RandomAccessFile): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, size, count } = await findDirectory(source);
  if (size > largestDirectory || size < count * entrySize)
    refuse(
      source.file,
      `expected a zip directory of ${count} entries in at most ${largestDirectory} bytes, found ${size}.`,
      {
        offset,
        expected: count * entrySize,
        found: size,
      },
    );
  const bytes = await source.read(offset, size);
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  for (let i = 0; i < count; i += 1) {
    const { entry, next } = parseEntry(source.file, bytes, position, offset);
    if (entries.has(entry.name))
      refuse(source.file, `expected each entry once, found '${entry.name}' twice.`, { offset: offset + position });
    entries.set(entry.name, entry);
    position = next;
  }
  setLimits(source.file, [...entries.values()], offset);
  return entries;
}

/** An entry's bytes begin where its local header ends. */
export async function entryStart(source: RandomAccessFile, entry: ZipEntry): Promise<number> {
  const { headerOffset, size, limit, name } = entry;
  const header = await source.read(headerOffset, localHeaderSize);
  if (header.readUInt32LE(0) !== signatures.localHeader)
    refuse(source.file, `expected the header of '${name}' at byte ${headerOffset}, found other bytes.`, {
      offset: headerOffset,
    });
  const start = headerOffset + localHeaderSize + header.readUInt16LE(26) + header.readUInt16LE(28); // name and extra field
  if (start + size > limit)
    refuse(
      source.file,
      `entry '${name}': expected its ${size} bytes from byte ${start} to end by ${limit}: entries overlap.`,
      {
        offset: start,
        expected: limit,
        found: start + size,
      },
    );
  return start;
}

interface Directory {
  offset: number;
  size: number;
  count: number;
}

/** The end record stands last, but for a comment of any length; ZIP64's is before it. */
async function findDirectory(source: RandomAccessFile): Promise<Directory> {
  const { file } = source;
  const tailSize = Math.min(source.size, endSize + largestComment);
  const tail = await source.read(source.size - tailSize, tailSize);
  let at = tailSize - endSize;
  while (
    at >= 0 &&
    !(tail.readUInt32LE(at) === signatures.end && at + endSize + tail.readUInt16LE(at + 20) === tailSize)
  )
    at -= 1;
  if (at < 0)
    refuse(file, 'expected the directory of a zip file at its end, found none: the file is cut short.', {
      offset: source.size,
    });
  const endOffset = source.size - tailSize + at;
  let directory = {
    count: tail.readUInt16LE(at + 10),
    size: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  let limit = endOffset;
  if (directory.count === 0xffff || directory.size === 0xffffffff || directory.offset === 0xffffffff)
    [directory, limit] = await findDirectory64(source, endOffset);
  if (directory.offset + directory.size > limit)
    refuse(file, `expected the zip directory to end by byte ${limit}, found ${directory.offset + directory.size}.`, {
      offset: endOffset,
      expected: limit,
      found: directory.offset + directory.size,
    });
  return directory;
}

async function findDirectory64(source: RandomAccessFile, endOffset: number): Promise<[Directory, limit: number]> {
  const locator = await source.read(Math.max(0, endOffset - locatorSize), locatorSize);
  if (locator.readUInt32LE(0) !== signatures.locator64)
    refuse(source.file, `expected ZIP64's locator before byte ${endOffset}, found other bytes.`, { offset: endOffset });
  const offset = safeNumber(source.file, locator.readBigUInt64LE(8), endOffset);
  const record = await source.read(offset, end64Size);
  if (record.readUInt32LE(0) !== signatures.end64)
    refuse(source.file, `expected ZIP64's end record at byte ${offset}, found other bytes.`, { offset });
  const number = (at: number): number => safeNumber(source.file, record.readBigUInt64LE(at), offset + at);
  return [{ count: number(32), size: number(40), offset: number(48) }, offset];
}

/** One entry of the directory, which begins at `start` of the file, and where the next one is. */
function parseEntry(file: string, bytes: Buffer, at: number, start: number): { entry: ZipEntry; next: number } {
  const offset = start + at;
  if (at + entrySize > bytes.length || bytes.readUInt32LE(at) !== signatures.entry)
    refuse(file, `expected an entry of the zip directory at byte ${offset}, found other bytes.`, { offset });
  const [nameSize, extraSize, commentSize] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ];
  const extraAt = at + entrySize + nameSize;
  const next = extraAt + extraSize + commentSize;
  if (next > bytes.length)
    refuse(file, `expected the zip directory's entry at byte ${offset} to end within it.`, { offset });
  const name = bytes.toString('utf8', at + entrySize, extraAt);
  const [flags, method] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)];
  if (flags & 1 || method !== 0)
    refuse(
      file,
      `entry '${name}': expected bytes stored as they are, as torch.save does, found ${flags & 1 ? 'encrypted' : 'compressed'} ones (method ${method}). Save it again with torch.save.`,
      {
        offset,
        expected: 0,
        found: method,
      },
    );
  const large = largeFields(bytes.subarray(extraAt, extraAt + extraSize));
  const field = (where: number): number => {
    const value = bytes.readUInt32LE(at + where);
    return value === 0xffffffff ? safeNumber(file, large() ?? -1n, offset) : value;
  };
  const [size, stored, headerOffset] = [field(24), field(20), field(42)]; // the order in which ZIP64 has them
  if (size !== stored)
    refuse(file, `entry '${name}': expected ${stored} bytes, as many as are stored, found ${size}.`, {
      offset,
      expected: stored,
      found: size,
    });
  return { entry: { name, size, headerOffset, limit: start }, next };
}

/** Hands out ZIP64's 64-bit fields one after another; undefined where there are no more. */
function largeFields(extra: Buffer): () => bigint | undefined {
  let fields: Buffer = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 1) fields = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  let at = 0;
  return () => {
    if (at + 8 > fields.length) return undefined;
    at += 8;
    return fields.readBigUInt64LE(at - 8);
  };
}

function safeNumber(file: string, value: bigint, offset: number): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    refuse(
      file,
      `expected a 64-bit size or place below 2^53 for the zip record at byte ${offset}, found ${value < 0n ? 'none' : value}.`,
      { offset },
    );
  return Number(value);
}

/** Entries must follow each other: one file's bytes cannot be several entries'. */
function setLimits(file: string, entries: ZipEntry[], directoryOffset: number): void {
  entries.sort((a, b) => a.headerOffset - b.headerOffset);
  for (const [i, entry] of entries.entries()) {
    entry.limit = entries[i + 1]?.headerOffset ?? directoryOffset;
    const end = entry.headerOffset + localHeaderSize + Buffer.byteLength(entry.name) + entry.size;
    if (end > entry.limit)
      refuse(file, `entry '${entry.name}': expected it to end by byte ${entry.limit}, found ${end}: entries overlap.`, {
        offset: entry.headerOffset,
        expected: entry.limit,
        found: end,
      });
  }
}
