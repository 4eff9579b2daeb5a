// Reads and writes safetensors files: named tensors and a few strings.
import { open } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import type { TypedArray } from '../native.js';
import { writeFileAtomically } from './atomic-file.js';
import { type Header, headerLength, parseHeader, refuse, type TensorEntry } from './safetensors-header.js';

/** Values of a tensor on the host, in row-major order. */
export interface HostTensor {
  shape: readonly number[];
  values: TypedArray;
}

/** Writes the file whole or not at all. Throws CheckpointError with the system's reason. */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const parts: Uint8Array[] = [];
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: dtypeName(values), shape, data_offsets: [offset, offset + values.byteLength] };
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    offset += values.byteLength;
  }
  try {
    await writeFileAtomically(file, [...encodeHeader(header), ...parts]);
  } catch (cause) {
    throw new CheckpointError(`${file}: cannot be written: ${(cause as Error).message}`, { file }, { cause });
  }
}

function dtypeName(values: TypedArray): string {
  if (values instanceof Float32Array) return 'F32';
  return values instanceof Int32Array ? 'I32' : 'U8';
}

/** The length and the JSON, padded with spaces so that the data begin at a multiple of 8. */
function encodeHeader(header: Record<string, unknown>): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((8 - (json.length % 8)) % 8, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding.length));
  return [length, json, padding];
}

/** A file that was read and whose header was checked. */
export class SafetensorsFile {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #data: Buffer;

  constructor(file: string, header: Header, data: Buffer) {
    this.file = file;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
    this.#data = data;
  }

  /** The values of a tensor as float32. Throws CheckpointError where its type is none of F64, F32, F16, BF16. */
  readFloats(name: string): Float32Array {
    const { dtype, begin, end } = this.tensors.get(name) as TensorEntry;
    const bytes = new Uint8Array(this.#data.subarray(begin, end)).buffer; // a copy: aligned
    if (dtype === 'F32') return new Float32Array(bytes);
    if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes));
    if (dtype === 'BF16') return floatsFromBfloat16(new Uint16Array(bytes));
    if (dtype === 'F16') return Float32Array.from(new Uint16Array(bytes), floatFromHalf);
    return refuse(this.file, `tensor '${name}': expected dtype F32, F64, F16 or BF16, found ${dtype}.`, {
      tensor: name,
      found: dtype,
    });
  }
}

/** A bfloat16 is the upper half of a float32. */
function floatsFromBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

/** IEEE 754 binary16: 1 sign bit, 5 of exponent (bias 15), 10 of fraction. */
function floatFromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Reads a file and checks its header. Throws CheckpointError with the file, what was expected and what was found. */
export async function readSafetensors(file: string): Promise<SafetensorsFile> {
  const bytes = await readWholeFile(file);
  const length = headerLength(file, bytes.subarray(0, 8), bytes.length);
  const header = parseHeader(file, bytes.subarray(8, 8 + length), bytes.length);
  return new SafetensorsFile(file, header, bytes.subarray(header.dataOffset));
}

/** The bytes of a regular file; no more than its size is ever read. */
async function readWholeFile(file: string): Promise<Buffer> {
  try {
    const handle = await open(file, 'r');
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) refuse(file, 'expected a regular file.');
      const bytes = Buffer.allocUnsafe(stat.size);
      let position = 0;
      while (position < stat.size) {
        const { bytesRead } = await handle.read(bytes, position, stat.size - position, position);
        if (bytesRead === 0)
          refuse(file, `expected ${stat.size} bytes, found ${position}: it was cut while it was read.`, {
            expected: stat.size,
            found: position,
          });
        position += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(`${file}: cannot be read: ${(cause as Error).message}`, { file }, { cause });
  }
}
