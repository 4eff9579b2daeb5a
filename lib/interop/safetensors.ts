// Reads and writes safetensors files: named tensors and a few strings.
import { CheckpointError } from '../errors.js';
import type { TypedArray } from '../native.js';
import { writeFileAtomically } from './atomic-file.js';
import { floatsFrom, floatTypes } from './dtypes.js';
import { RandomAccessFile } from './random-access-file.js';
import { refuse } from './refuse.js';
import { type Header, headerLength, parseHeader, type TensorEntry } from './safetensors-header.js';

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

/** A file that stays open, whose header was checked; its tensors are read when they are asked for. */
export class SafetensorsFile {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: RandomAccessFile;
  readonly #dataOffset: number;

  private constructor(source: RandomAccessFile, header: Header) {
    this.file = source.file;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
    this.#source = source;
    this.#dataOffset = header.dataOffset;
  }

  /** Reads and checks the header. Throws CheckpointError with the file, what was expected and what was found. */
  static async read(source: RandomAccessFile): Promise<SafetensorsFile> {
    const { file, size } = source;
    const length = headerLength(file, await source.read(0, Math.min(size, 8)), size);
    return new SafetensorsFile(source, parseHeader(file, await source.read(8, length), size));
  }

  /** The values of a tensor as float32. Throws CheckpointError where its type is none of F64, F32, F16, BF16. */
  async readFloats(name: string): Promise<Float32Array> {
    const { dtype, begin, end } = this.tensors.get(name) as TensorEntry;
    if (!floatTypes.includes(dtype))
      return refuse(this.file, `tensor '${name}': expected dtype F32, F64, F16 or BF16, found ${dtype}.`, {
        tensor: name,
        found: dtype,
      });
    return floatsFrom(dtype, await this.#source.readValues(this.#dataOffset + begin, end - begin));
  }
}

/** What `use` makes of a file, which is open until then. Throws CheckpointError where it cannot be read or is damaged. */
export async function usingSafetensors<T>(file: string, use: (source: SafetensorsFile) => Promise<T>): Promise<T> {
  const source = await RandomAccessFile.open(file);
  try {
    return await use(await SafetensorsFile.read(source));
  } finally {
    await source.close();
  }
}
