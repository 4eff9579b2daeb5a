// The header of a safetensors file, checked: which tensors it has, where their bytes are.
// Format: https://huggingface.co/docs/safetensors - 8 bytes little-endian header length, JSON header, data.
import { bytesOf } from './dtypes.js';
import { jsonSize, repeatedKey } from './json-keys.js';
import { refuse } from './refuse.js';

/** The format's own limit, which keeps a parsed header within bounds. */
const maxHeaderBytes = 100_000_000;

/** A value of the header takes many times its bytes in memory. A tensor has about ten values, the largest nets thousands of tensors. */
const maxValues = 2 ** 18;
const maxDepth = 8; // a shape is at 3
const longestName = 1000;

/** One tensor's entry: its type, shape and bytes [begin, end) of the data that follow the header. */
export interface TensorEntry {
  dtype: string;
  shape: readonly number[];
  begin: number;
  end: number;
}

export interface Header {
  tensors: Map<string, TensorEntry>;
  metadata: Map<string, string>;
  /** Where the data begin in the file. */
  dataOffset: number;
}

/** Length of the JSON header. `start` is the file's first 8 bytes, or fewer where there are no more. */
export function headerLength(file: string, start: Buffer, fileSize: number): number {
  if (start.length < 8)
    refuse(
      file,
      `expected a safetensors file, which begins with 8 bytes of header length, found ${fileSize} bytes in all.`,
      { expected: 8, found: fileSize },
    );
  const length = start.readBigUInt64LE(0);
  if (length > BigInt(fileSize - 8) || length < 2n) {
    refuse(
      file,
      `expected a header length from 2 to ${fileSize - 8}, the bytes that follow it, found ${length}: the file is cut short or no safetensors file.`,
      { offset: 0, expected: fileSize - 8, found: String(length) },
    );
  }
  if (length > BigInt(maxHeaderBytes))
    refuse(file, `expected a header of at most ${maxHeaderBytes} bytes, as the format has it, found ${length}.`, {
      offset: 0,
      expected: maxHeaderBytes,
      found: Number(length),
    });
  return Number(length);
}

/** Reads and checks the JSON header. */
export function parseHeader(file: string, json: Buffer, fileSize: number): Header {
  const dataOffset = 8 + json.length;
  const entries = parseJson(file, json);
  const header: Header = { tensors: new Map(), metadata: new Map(), dataOffset };
  for (const [name, value] of entries) {
    if (name === '__metadata__') header.metadata = parseMetadata(file, value);
    else header.tensors.set(name, parseEntry(file, name, value));
  }
  checkLayout(file, header.tensors, fileSize - dataOffset);
  return header;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(file: string, json: Buffer): [string, unknown][] {
  const { values, depth } = jsonSize(json);
  if (values > maxValues || depth > maxDepth)
    refuse(
      file,
      `expected a header of at most ${maxValues} values, at most ${maxDepth} deep, found ${values}, ${depth} deep.`,
      { offset: 8, expected: maxValues, found: values },
    );
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json);
    value = JSON.parse(text);
  } catch (cause) {
    return refuse(
      file,
      `the header (${json.length} bytes from byte 8) is not JSON: ${(cause as Error).message}`,
      { offset: 8 },
      { cause },
    );
  }
  if (!isObject(value)) return refuse(file, 'expected the header to be a JSON object.', { offset: 8 });
  const repeated = repeatedKey(text);
  if (repeated !== undefined)
    refuse(file, `expected each name once in the header, found '${repeated}' twice.`, { offset: 8, found: repeated });
  return Object.entries(value);
}

function parseMetadata(file: string, value: unknown): Map<string, string> {
  if (!isObject(value) || !Object.values(value).every((text) => typeof text === 'string')) {
    refuse(file, "expected '__metadata__' to be an object of strings.");
  }
  return new Map(Object.entries(value as Record<string, string>));
}

function parseEntry(file: string, name: string, value: unknown): TensorEntry {
  if (name.length > longestName)
    refuse(file, `expected names of at most ${longestName} characters, found one of ${name.length}.`, { offset: 8 });
  const { dtype, shape, data_offsets: offsets } = (isObject(value) ? value : {}) as Record<string, unknown>;
  const elementBytes = typeof dtype === 'string' && Object.hasOwn(bytesOf, dtype) ? bytesOf[dtype] : undefined;
  if (elementBytes === undefined) {
    refuse(
      file,
      `tensor '${name}': expected a dtype among ${Object.keys(bytesOf).join(', ')}, found ${JSON.stringify(dtype)}.`,
      { tensor: name, found: dtype },
    );
  }
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    refuse(file, `tensor '${name}': expected a shape of non-negative integers, found ${JSON.stringify(shape)}.`, {
      tensor: name,
      found: shape,
    });
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    refuse(file, `tensor '${name}': expected data_offsets [begin, end], found ${JSON.stringify(offsets)}.`, {
      tensor: name,
      found: offsets,
    });
  }
  const [begin, end] = offsets as [number, number];
  const expected = (shape as number[]).reduce((n, d) => n * d, elementBytes as number);
  if (end - begin !== expected) {
    refuse(
      file,
      `tensor '${name}' of ${dtype} [${(shape as number[]).join(', ')}]: expected ${expected} bytes, found data_offsets [${begin}, ${end}].`,
      { tensor: name, expected, found: end - begin },
    );
  }
  return { dtype: dtype as string, shape: Object.freeze(shape as number[]), begin, end };
}

/** The tensors must fill the data exactly: nothing twice, nothing beyond the end, nothing left over. */
function checkLayout(file: string, tensors: Map<string, TensorEntry>, dataSize: number): void {
  let position = 0;
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (end > dataSize)
      refuse(
        file,
        `tensor '${name}': expected at least ${end} bytes of data, found ${dataSize}: the file is cut short.`,
        { tensor: name, expected: end, found: dataSize },
      );
    if (begin !== position)
      refuse(
        file,
        `tensor '${name}': expected its data to begin at ${position}, found ${begin}: data overlap or have holes.`,
        { tensor: name, expected: position, found: begin },
      );
    position = end;
  }
  if (position !== dataSize)
    refuse(file, `expected ${position} bytes of data, found ${dataSize}.`, { expected: position, found: dataSize });
}
