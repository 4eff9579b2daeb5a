// One measurement of the loader benchmark in a process of its own: decoding, training, or both at a time; prints one JSON line.
import {
  autograd,
  cpu,
  data,
  loss,
  type nn,
  seed,
  setDevice,
  setPrecision,
  setThreads,
  type Tensor,
  Trainer,
  tensor,
  uniform,
} from '../../lib/index.js';
import { integer, main, parseOptions, words } from '../arguments.js';
import { initialised, modelOf } from '../models.js';

/** What one process measured. */
export interface Measurement {
  images: number;
  seconds: number;
}

export const kinds = ['decode', 'train', 'together'] as const;

type Batches = AsyncIterable<[Tensor, Tensor]>;

const warmup = 2; // batches that are not timed: memory is touched and programs are made

/** Counts images and seconds of `use` over the batches after the first two. */
async function timed(batches: Batches, use: (x: Tensor, y: Tensor) => Promise<unknown>): Promise<Measurement> {
  let [count, images, start] = [0, 0, performance.now()];
  for await (const [x, y] of batches) {
    if (count === warmup) start = performance.now();
    await use(x, y);
    if (count++ >= warmup) images += x.shape[0]!;
    x.dispose();
    y.dispose();
  }
  return { images, seconds: (performance.now() - start) / 1000 };
}

/** Random-resized crops of 224 x 224 and flips, as for ImageNet. */
async function jpegs(folder: string, batchSize: number, side: number, workers: number) {
  const { imagenetNormalize, randomHorizontalFlip, randomResizedCrop } = data.transforms;
  const transform = [randomResizedCrop(side), randomHorizontalFlip(), imagenetNormalize()];
  const files = await data.imageFolder(folder);
  return new data.DataLoader(files, { batchSize, shuffle: true, lastBatch: 'discard', transform, workers });
}

/** As many batches as the loader gives, without any work of a loader. */
async function* inMemory(
  batches: number,
  batch: number,
  imageShape: readonly number[],
): AsyncGenerator<[Tensor, Tensor]> {
  const x = uniform([batch, ...imageShape]); // [batch, channels, height, width]
  const y = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10)); // [batch]
  for (let i = 0; i < batches; i++) yield [x.detach(), y.detach()];
}

/** One step of SGD with momentum; resolves when its loss was read. */
function stepOf(net: nn.Block): (x: Tensor, y: Tensor) => Promise<void> {
  net.hybridize();
  const lossFn = new loss.SoftmaxCrossEntropyLoss();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.01, momentum: 0.9 });
  return async (x, y) => {
    const losses = autograd.record(() => lossFn.forward(net.forward(x), y)); // [batch]
    losses.backward();
    trainer.step(x.shape[0]!);
    await losses.data();
    losses.dispose();
  };
}

await main(async () => {
  const values = parseOptions({
    kind: { type: 'string', default: 'decode' },
    folder: { type: 'string', default: '' },
    images: { type: 'string', default: '512' },
    batch: { type: 'string', default: '32' },
    model: { type: 'string', default: 'resnet18@224' },
    workers: { type: 'string', default: '0' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '2' },
  });
  seed(0);
  setDevice(cpu());
  setThreads(integer('threads', values.threads));
  setPrecision(words('precision', values.precision, ['float32', 'bfloat16'])[0]!);
  const [kind] = words('kind', values.kind, kinds);
  const [batch, images] = [integer('batch', values.batch), integer('images', values.images)];
  const model = modelOf(values.model);
  const step = kind === 'decode' ? async () => {} : stepOf(initialised(model));
  const isJpeg = kind !== 'train';
  const loader = isJpeg
    ? await jpegs(values.folder, batch, model.imageShape[1], integer('workers', values.workers, 0))
    : null;
  const result = await timed(loader ?? inMemory(Math.floor(images / batch), batch, model.imageShape), step);
  await loader?.dispose();
  process.stdout.write(`${JSON.stringify(result)}\n`);
});
