// A file of weights of either format, told by its first bytes.
import { extname } from 'node:path';
import { floatTypes } from './dtypes.js';
import { PytorchFile } from './pytorch-file.js';
import { RandomAccessFile } from './random-access-file.js';
import { refuse } from './refuse.js';
import { SafetensorsFile } from './safetensors.js';

export type WeightsFormat = 'safetensors' | 'pytorch';

/** A tensor of a file. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Its values as float32, row-major. */
  readFloats(): Promise<Float32Array>;
}

/** Named tensors, read when they are asked for, until the file is closed. */
export interface WeightsFile {
  readonly file: string;
  readonly format: WeightsFormat;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  close(): Promise<void>;
}

const zipStart = Buffer.from('PK\x03\x04', 'latin1');
const legacyStart = Buffer.from([0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20]); // after the pickle's protocol: torch's magic number

/** Opens a safetensors file or one of torch.save. Throws CheckpointError: damaged, unknown, or of torch.save before 1.6. */
export async function openWeights(file: string): Promise<WeightsFile> {
  const source = await RandomAccessFile.open(file);
  try {
    const start = await source.read(0, Math.min(source.size, 16));
    const isSafetensors = start[8] === 0x7b; // '{': its header's length may begin like anything
    if (start.subarray(2, 10).equals(legacyStart))
      refuse(
        file,
        "expected PyTorch's zip format, found that of before 1.6. Save it again there: torch.save(torch.load(file, map_location='cpu', weights_only=True), file).",
      );
    if (start.subarray(0, 4).equals(zipStart) && !isSafetensors) return await fromPytorch(source);
    if (!isSafetensors && ['.pth', '.pt', '.bin'].includes(extname(file)))
      refuse(
        file,
        `expected a zip archive of torch.save, which begins with 'PK', found ${start.length === 0 ? 'an empty file' : `bytes ${start.toString('hex')}`}.`,
        {
          offset: 0,
          found: start.toString('hex'),
        },
      );
    return await fromSafetensors(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function fromPytorch(source: RandomAccessFile): Promise<WeightsFile> {
  const { file } = source;
  const read = await PytorchFile.read(source);
  const tensors = new Map(
    [...read.tensors].map(
      ([
        name,
        {
          storage: { dtype },
          shape,
        },
      ]) => [name, stored(file, name, dtype, shape, () => read.readFloats(name))],
    ),
  );
  return { file, format: 'pytorch', tensors, close: () => source.close() };
}

async function fromSafetensors(source: RandomAccessFile): Promise<WeightsFile> {
  const { file } = source;
  const read = await SafetensorsFile.read(source);
  const tensors = new Map(
    [...read.tensors].map(([name, { dtype, shape }]) => [
      name,
      stored(file, name, dtype, shape, () => read.readFloats(name)),
    ]),
  );
  return { file, format: 'safetensors', tensors, close: () => source.close() };
}

function stored(
  file: string,
  name: string,
  dtype: string,
  shape: readonly number[],
  readFloats: () => Promise<Float32Array>,
): StoredTensor {
  const read = async (): Promise<Float32Array> =>
    floatTypes.includes(dtype)
      ? readFloats()
      : refuse(file, `tensor '${name}': expected dtype ${floatTypes.join(', ')}, found ${dtype}.`, {
          tensor: name,
          expected: floatTypes,
          found: dtype,
        });
  return { dtype, shape, readFloats: read };
}
