// Reads event files with a reader of its own: records, their check sums bit by bit, and the fields of event.proto.
import { readFileSync } from 'node:fs';
import { fieldsOf, type WireField } from '../../interop/onnx-file.js';

export interface ReadEvent {
  wallTime: number;
  step: number;
  fileVersion?: string;
  /** SessionLog.status */
  session?: number;
  graph?: Uint8Array;
  tag?: string;
  scalar?: number;
  image?: { width: number; height: number; png: Uint8Array };
  histogram?: {
    min: number;
    max: number;
    num: number;
    sum: number;
    sumSquares: number;
    limits: number[];
    counts: number[];
  };
  text?: string;
  plugin?: string;
}

/** CRC-32C by long division, as RFC 3720 defines it. */
export function plainCrc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    remainder ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1n ? (remainder >> 1n) ^ 0x82f63b78n : remainder >> 1n;
  }
  return Number(remainder ^ 0xffffffffn);
}

/** The whole records of a file; `rest`: bytes of one that was cut. Throws where a check sum is wrong. */
export function readRecords(bytes: Buffer): { records: Buffer[]; rest: number } {
  const records: Buffer[] = [];
  let at = 0;
  while (at + 12 <= bytes.length) {
    checkSum(bytes.subarray(at, at + 8), bytes.readUInt32LE(at + 8));
    const end = at + 12 + Number(bytes.readBigUInt64LE(at));
    if (end + 4 > bytes.length) break;
    checkSum(bytes.subarray(at + 12, end), bytes.readUInt32LE(end));
    records.push(bytes.subarray(at + 12, end));
    at = end + 4;
  }
  return { records, rest: bytes.length - at };
}

export function readEvents(file: string): ReadEvent[] {
  return readRecords(readFileSync(file)).records.map(eventOf);
}

function checkSum(bytes: Uint8Array, found: number): void {
  const crc = BigInt(plainCrc32c(bytes));
  const masked = Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
  if (masked !== found) throw new Error(`check sum ${found}, expected ${masked}`);
}

function eventOf(record: Buffer): ReadEvent {
  const fields = fieldsOf(record);
  const value = message(message(fields, 5), 1);
  const [image, histogram, session] = [message(value, 4), message(value, 5), message(fields, 7)];
  return {
    wallTime: doubles(fields, 1)[0] as number,
    step: (one(fields, 2) as number | undefined) ?? 0,
    fileVersion: string(fields, 3),
    session: one(session, 1) as number | undefined,
    graph: one(fields, 4) as Uint8Array | undefined,
    tag: string(value, 1),
    scalar: one(value, 2) === undefined ? undefined : view(one(value, 2)).getFloat32(0, true),
    image: image.length === 0 ? undefined : imageOf(image),
    histogram: histogram.length === 0 ? undefined : histogramOf(histogram),
    text: string(message(value, 8), 8),
    plugin: string(message(message(value, 9), 1), 1),
  };
}

const imageOf = (fields: readonly WireField[]) => ({
  height: one(fields, 1) as number,
  width: one(fields, 2) as number,
  png: one(fields, 4) as Uint8Array,
});

function histogramOf(fields: readonly WireField[]) {
  const [min, max, num, sum, sumSquares] = [1, 2, 3, 4, 5].map((id) => doubles(fields, id)[0]) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { min, max, num, sum, sumSquares, limits: doubles(fields, 6), counts: doubles(fields, 7) };
}

const one = (fields: readonly WireField[], id: number) => fields.find((field) => field.id === id)?.value;

const message = (fields: readonly WireField[], id: number): WireField[] =>
  fieldsOf((one(fields, id) as Uint8Array | undefined) ?? new Uint8Array());

function string(fields: readonly WireField[], id: number): string | undefined {
  const bytes = one(fields, id) as Uint8Array | undefined;
  return bytes && Buffer.from(bytes).toString();
}

const view = (value: unknown): DataView => {
  const { buffer, byteOffset, byteLength } = value as Uint8Array;
  return new DataView(buffer, byteOffset, byteLength);
};

/** All doubles of a field, packed or one by one. */
const doubles = (fields: readonly WireField[], id: number): number[] =>
  fields
    .filter((field) => field.id === id)
    .flatMap(({ value }) =>
      Array.from({ length: (value as Uint8Array).length / 8 }, (_, i) => view(value).getFloat64(8 * i, true)),
    );
