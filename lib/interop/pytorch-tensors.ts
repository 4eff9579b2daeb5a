// What a state dict's pickle may name - storages, tensors, parameters, OrderedDict, Size - and the tensors that come of it.
import { bytesOf } from './dtypes.js';
import { type Fail, kindOf, PickleDict, type PickleGlobal, type PickleRules, PickleTuple } from './pickle-values.js';

/** The bytes that tensors are views of: an entry of the archive. */
export interface Storage {
  key: string;
  dtype: string;
  /** In elements. */
  size: number;
}

/** A tensor as the pickle describes it; `offset` and `strides` in elements of its storage. */
export class StridedTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  get size(): number {
    return this.shape.reduce((n, d) => n * d, 1);
  }

  /** One past the last element of the storage that it reaches. */
  get end(): number {
    return this.size === 0 ? this.offset : this.offset + reach(this.shape, this.strides);
  }
}

const storageTypes: Readonly<Record<string, string>> = {
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

const maxAxes = 64; // PyTorch's own limit

/**
 * The rules for the pickle of an archive. `storageBytes` tells how many bytes the archive has under a key; undefined: none.
 */
export function stateDictRules(storageBytes: (key: string) => number | undefined): PickleRules {
  return {
    globals: new Map(globals.map((global) => [global.name.replace(/\.(?=[^.]*$)/, ' '), global])),
    persistent: (id, fail) => checkStorage(id, storageBytes, fail),
    remedy:
      'In PyTorch save the parameters alone: torch.save(model.state_dict(), file). A file from others should be loaded there with weights_only=True',
  };
}

/** A storage's type: it is named, never called. */
class StorageType implements PickleGlobal {
  readonly name: string;
  constructor(
    name: string,
    readonly dtype: string,
  ) {
    this.name = `torch.${name}`;
  }
}

const globals: readonly PickleGlobal[] = [
  ...Object.entries(storageTypes).map(([name, dtype]) => new StorageType(name, dtype)),
  { name: 'torch._utils._rebuild_tensor_v2', call: rebuildTensor },
  { name: 'torch._utils._rebuild_parameter', call: rebuildParameter },
  {
    name: 'torch.Size',
    call: ([items], fail) => (items instanceof PickleTuple ? items : fail('a tuple for torch.Size', kindOf(items))),
  },
  {
    name: 'collections.OrderedDict',
    call: (args, fail) => (args.length === 0 ? new PickleDict() : fail('OrderedDict()', `${args.length} arguments`)),
  },
];

/** ('storage', type, key, location, number of elements) */
function checkStorage(id: unknown, storageBytes: (key: string) => number | undefined, fail: Fail): Storage {
  const [kind, type, key, , size] = id instanceof PickleTuple ? id.items : [];
  if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !isSize(size))
    return fail("a storage ('storage', type, key, location, size)", kindOf(id));
  const expected = size * (bytesOf[type.dtype] as number);
  const found = storageBytes(key);
  if (found !== expected)
    fail(
      `${expected} bytes in the archive for storage '${key}' of ${size} ${type.name}`,
      found === undefined ? 'none' : `${found}`,
    );
  return { key, dtype: type.dtype, size };
}

/** (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]) */
function rebuildTensor(args: readonly unknown[], fail: Fail): StridedTensor {
  const [storage, offset, shape, strides] = args;
  if (!isStorage(storage)) return fail('a storage for a tensor', kindOf(storage));
  if (!isSize(offset)) return fail("a tensor's offset in its storage", kindOf(offset));
  const [sizes, steps] = [integersOf(shape, fail), integersOf(strides, fail)];
  if (sizes.length !== steps.length) fail(`${sizes.length} strides, one an axis`, `${steps.length}`);
  const made = new StridedTensor(storage, offset, sizes, steps);
  const described = `[${sizes.slice(0, 8).join(', ')}] with strides [${steps.slice(0, 8).join(', ')}]`;
  if (!(made.end <= storage.size))
    fail(
      `a tensor within the ${storage.size} elements of storage '${storage.key}'`,
      `one of shape ${described} that reaches ${made.end}`,
    );
  if (made.size > 0 && overlapsItself(sizes, steps))
    fail('a tensor whose elements each have a place of their own', `one of shape ${described}`);
  return made;
}

/** (data, requires_grad, backward_hooks) */
function rebuildParameter([data]: readonly unknown[], fail: Fail): StridedTensor {
  return data instanceof StridedTensor ? data : fail('a tensor for a parameter', kindOf(data));
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'size' in value && 'key' in value;

function integersOf(value: unknown, fail: Fail): readonly number[] {
  const items = value instanceof PickleTuple ? value.items : undefined;
  if (!items?.every(isSize) || items.length > maxAxes)
    return fail(`a tuple of at most ${maxAxes} sizes`, kindOf(value));
  return items;
}

/** How many elements of the storage lie between the first and the last of them, both included. */
const reach = (shape: readonly number[], strides: readonly number[]): number =>
  shape.reduce((sum, d, axis) => sum + (d - 1) * (strides[axis] as number), 1);

/** Whether two elements may share a place: an axis steps over less than the axes of smaller steps reach. */
function overlapsItself(shape: readonly number[], strides: readonly number[]): boolean {
  const axes = shape.map((d, axis) => [d, strides[axis] as number] as const).filter(([d]) => d > 1);
  axes.sort(([, a], [, b]) => a - b);
  return axes.some(([, stride], i) => {
    const inner = axes.slice(0, i);
    return (
      stride <
      reach(
        inner.map(([d]) => d),
        inner.map(([, step]) => step),
      )
    );
  });
}
