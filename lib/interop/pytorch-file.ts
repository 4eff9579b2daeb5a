// Reads the files of torch.save (.pth, .pt) since PyTorch 1.6: a zip archive of one pickle and the tensors' bytes.
// Layout: PyTorch, torch/serialization.py, _save: <name>/data.pkl, <name>/data/<key>, <name>/byteorder.
import { bytesOf, floatsFrom } from './dtypes.js';
import { readPickle } from './pickle.js';
import { type StridedTensor, stateDictRules } from './pytorch-tensors.js';
import type { RandomAccessFile } from './random-access-file.js';
import { refuse } from './refuse.js';
import { findStateDict } from './state-dict.js';
import { entryStart, readZipDirectory, type ZipEntry } from './zip-archive.js';

const largestPickle = 64 * 2 ** 20; // bytes

/** The state dict of a file that stays open; its tensors are read when they are asked for. */
export class PytorchFile {
  readonly tensors: ReadonlyMap<string, StridedTensor>;
  /** Keys that lead to the state dict: ['state_dict']. */
  readonly path: readonly string[];
  readonly #source: RandomAccessFile;
  readonly #storages: ReadonlyMap<string, ZipEntry>;

  private constructor(
    source: RandomAccessFile,
    storages: ReadonlyMap<string, ZipEntry>,
    tensors: ReadonlyMap<string, StridedTensor>,
    path: readonly string[],
  ) {
    this.#source = source;
    this.#storages = storages;
    this.tensors = tensors;
    this.path = path;
  }

  /** Reads and checks everything but the tensors' values. Throws CheckpointError; no code in the file is executed. */
  static async read(source: RandomAccessFile): Promise<PytorchFile> {
    const { file } = source;
    const entries = await readZipDirectory(source);
    const folder = folderOf(file, entries);
    await checkByteOrder(source, entries.get(`${folder}byteorder`));
    const pickle = entries.get(`${folder}data.pkl`) as ZipEntry;
    if (pickle.size > largestPickle)
      refuse(file, `expected a pickle of at most ${largestPickle} bytes, found ${pickle.size}.`, {
        expected: largestPickle,
        found: pickle.size,
      });
    const start = await entryStart(source, pickle);
    const bytes = await source.read(start, pickle.size);
    const rules = stateDictRules((key) => entries.get(`${folder}data/${key}`)?.size);
    const { tensors, path } = findStateDict(file, readPickle({ file, bytes, start }, rules));
    const storages = new Map(
      [...tensors.values()].map(({ storage: { key } }) => [key, entries.get(`${folder}data/${key}`) as ZipEntry]),
    );
    return new PytorchFile(source, storages, tensors, path);
  }

  /** The values of a tensor of one of `floatTypes`, in row-major order. */
  async readFloats(name: string): Promise<Float32Array> {
    const tensor = this.tensors.get(name) as StridedTensor;
    const { storage, offset, end } = tensor;
    const elementBytes = bytesOf[storage.dtype] as number;
    const start = await entryStart(this.#source, this.#storages.get(storage.key) as ZipEntry);
    const bytes = await this.#source.readValues(start + offset * elementBytes, (end - offset) * elementBytes);
    return gather(floatsFrom(storage.dtype, bytes), tensor);
  }
}

/** The folder that holds data.pkl, with its slash. */
function folderOf(file: string, entries: ReadonlyMap<string, ZipEntry>): string {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1)
    refuse(
      file,
      `expected a file of torch.save, a zip archive with one data.pkl, found ${pickles.length} among ${entries.size} entries.`,
      { expected: 1, found: pickles.length },
    );
  const folder = (pickles[0] as string).slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`))
    refuse(
      file,
      'expected a file of torch.save, found a TorchScript archive. Save its parameters: torch.save(torch.jit.load(file).state_dict(), other).',
    );
  return folder;
}

/** Files of before PyTorch 2.1 do not tell it: they are little-endian. */
async function checkByteOrder(source: RandomAccessFile, entry: ZipEntry | undefined): Promise<void> {
  if (!entry) return;
  const found = (await source.read(await entryStart(source, entry), Math.min(entry.size, 16))).toString('latin1');
  if (found !== 'little')
    refuse(
      source.file,
      `expected byte order 'little', found ${JSON.stringify(found)}: save it again on a little-endian machine.`,
      { expected: 'little', found },
    );
}

/** The elements in row-major order, from those between the tensor's first and last. */
function gather(values: Float32Array, { shape, strides, size }: StridedTensor): Float32Array {
  let expected = 1;
  const isContiguous = shape.toReversed().every((d, i) => {
    const stride = strides.at(-1 - i);
    const fits = d === 1 || stride === expected;
    expected *= d;
    return fits;
  });
  if (isContiguous) return values;
  const index = shape.map(() => 0);
  let position = 0;
  return Float32Array.from({ length: size }, () => {
    const value = values[position] as number;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const [i, d, stride] = [index[axis] as number, shape[axis] as number, strides[axis] as number];
      index[axis] = i + 1 < d ? i + 1 : 0;
      position += i + 1 < d ? stride : -i * stride;
      if (i + 1 < d) break;
    }
    return value;
  });
}
