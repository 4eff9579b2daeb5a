// Runs a net over image files: decodes them ahead of the net, and tells the likeliest classes of each.
import { BatchFinisher } from '../data/finish-batch.js';
import { type BrokenSample, makeSamples } from '../data/sample.js';
import { centerCrop, normalize, resizeShorter } from '../data/transforms/index.js';
import type { Size, TransformOf } from '../data/transforms/transform.js';
import type { Device } from '../device.js';
import { fromHost } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import type { NetRecord } from './net-record.js';
import type { SavedNet } from './saved-net.js';

export interface LikelyClass {
  class: number;
  name: string;
  probability: number;
}

/** Of one file: its likeliest classes, the likeliest first, or why it cannot be decoded. */
export type Prediction = { file: string; classes: LikelyClass[] } | { file: string; error: string };

const batchSize = 32;

/** Some files, decoded and cut to the net's input: uint8 [files, channels, height, width]. */
interface Batch {
  files: readonly string[];
  pixels: Uint8Array;
  broken: readonly BrokenSample[];
}

/** Predictions for the files, in their order. While the net computes those of a batch, the next one is decoded. */
export async function* predictFiles(
  saved: SavedNet,
  files: readonly string[],
  top: number,
  device: Device,
): AsyncGenerator<Prediction> {
  const { record } = saved;
  const { classes, classNames } = record;
  const finisher = finisherFor(record, device);
  const decodeFrom = (first: number): Promise<Batch> => decode(record, files.slice(first, first + batchSize));
  let decoding = decodeFrom(0);
  for (let first = 0; first < files.length; first += batchSize) {
    const batch = await decoding;
    decoding = decodeFrom(first + batchSize);
    decoding.catch(() => {}); // it is thrown where it is awaited
    const probabilities = await classify(saved, batch.pixels, finisher, device);
    for (const [i, file] of batch.files.entries()) {
      const broken = batch.broken.find(({ index }) => index === i);
      const own = probabilities.subarray(i * classes, (i + 1) * classes);
      yield broken ? { file, error: broken.message } : { file, classes: likeliest(own, top, classNames) };
    }
  }
}

/** pixels: uint8 [batch, channels, height, width] -> probabilities [batch, classes] */
async function classify(
  { net, record: { inputShape } }: SavedNet,
  pixels: Uint8Array,
  finisher: BatchFinisher,
  device: Device,
): Promise<Float32Array> {
  const count = pixels.length / inputShape.reduce((product, d) => product * d, 1);
  const probabilities = tidy(() => {
    const x = finisher.finish(fromHost(pixels, [count, ...inputShape], 'uint8', device));
    return net.forward(x).softmax(1);
  });
  try {
    return (await probabilities.data()) as Float32Array;
  } finally {
    probabilities.dispose();
  }
}

async function decode(record: NetRecord, files: readonly string[]): Promise<Batch> {
  const [channels, height, width] = record.inputShape;
  const pixels = new Uint8Array(files.length * channels * height * width); // broken ones stay black
  const broken = await makeSamples({
    source: { files, background: [255, 255, 255] },
    transforms: [resizeShorter(record.resize), centerCrop([height, width])],
    seed: 0,
    stream: 0,
    epoch: 0,
    position: 0,
    channels,
    size: [height, width],
    out: pixels,
  });
  return { files, pixels, broken };
}

function finisherFor({ inputShape, normalization }: NetRecord, device: Device): BatchFinisher {
  const size: Size = [inputShape[1], inputShape[2]];
  const last = normalization && (normalize(normalization.mean, normalization.std) as TransformOf<'normalize'>);
  return new BatchFinisher(size, device, last);
}

/** The `top` largest of the probabilities of an image. */
function likeliest(probabilities: Float32Array, top: number, classNames: readonly string[]): LikelyClass[] {
  return Array.from(probabilities, (probability, number) => ({
    class: number,
    name: classNames[number] ?? `class ${number}`,
    probability,
  }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}
