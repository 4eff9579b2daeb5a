// Batches from a data set that lies on the device as bytes: gathered, resized and scaled there.
import { backendOf, type Device } from '../device.js';
import { gatherRows } from '../ops/gather-rows.js';
import { cast } from '../ops/index.js';
import { fromHost } from '../tensor/create.js';
import { tidy, untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchMaker, PreparedBatch } from './batch-maker.js';
import type { Dataset } from './dataset.js';
import type { BatchFinisher } from './finish-batch.js';

/** A data set on a device. */
interface Resident {
  /** uint8 [n, channels, height, width] */
  images: Tensor;
  /** uint8 [n] */
  labels: Tensor;
}

// All loaders of a data set share its bytes on a device. They are freed with the data set, by garbage collection.
const residents = new WeakMap<Dataset, Map<string, Resident>>();

function residentOf(dataset: Dataset, device: Device): Resident {
  const byDevice = residents.get(dataset) ?? new Map<string, Resident>();
  residents.set(dataset, byDevice);
  let resident = byDevice.get(device.name);
  if (!resident || resident.images.disposed || resident.labels.disposed) {
    resident = untracked(() => ({
      images: fromHost(dataset.images, [dataset.length, ...dataset.shape], 'uint8', device),
      labels: fromHost(dataset.labels, [dataset.length], 'uint8', device),
    }));
    byDevice.set(device.name, resident);
  }
  return resident;
}

export class ResidentBatches implements BatchMaker {
  readonly #dataset: Dataset;
  readonly #device: Device;
  readonly #finisher: BatchFinisher;

  constructor(dataset: Dataset, device: Device, finisher: BatchFinisher) {
    this.#dataset = dataset;
    this.#device = device;
    this.#finisher = finisher;
  }

  /** The first batch uploads the data set. Nothing is made before it is taken: the device is quick enough. */
  async prepare(rows: Int32Array): Promise<PreparedBatch> {
    const resident = residentOf(this.#dataset, this.#device);
    return { length: rows.length, take: () => this.#make(resident, rows), drop: () => {} };
  }

  #make({ images, labels }: Resident, rows: Int32Array): [Tensor, Tensor] {
    return untracked(() =>
      tidy((): [Tensor, Tensor] => {
        const indices = fromHost(rows, [rows.length], 'int32', this.#device);
        const bytes = gatherRows(images, indices); // uint8 [batch, channels, height, width]
        return [this.#finisher.finish(bytes), cast(gatherRows(labels, indices), 'int32')];
      }),
    );
  }
}

/** Whether a data set is to lie on the device if nobody says so: on a GPU, where it takes less than a quarter of the free memory. */
export function residesByDefault(dataset: Dataset, device: Device): boolean {
  if (device.kind === 'cpu') return false;
  return dataset.images.length + dataset.labels.length < freeBytes(device) / 4;
}

const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** What the backend says of the GPU's free memory ('78.2 GiB') and of the limit set for this process; 0 where it says nothing. */
function freeBytes(device: Device): number {
  const { memoryFree, memoryLimit } = backendOf(device).describe();
  return Math.min(bytesIn(memoryFree) ?? 0, bytesIn(memoryLimit) ?? Infinity);
}

function bytesIn(text: string | undefined): number | undefined {
  const [, amount, unit] = /^([\d.]+) (\w+)$/.exec(text ?? '') ?? [];
  return amount && unit && units[unit] ? Number(amount) * units[unit] : undefined;
}
