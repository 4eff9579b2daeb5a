// Predictions for images as they are found: a group is decoded while the net computes those of the one before.
import type { Device } from '../device.js';
import { NumericError } from '../errors.js';
import { ImageClassifier, type LikelyClass } from '../serve/image-classifier.js';
import { type GivenImage, type ImageSource, inGroups } from './image-sources.js';
import type { SavedNet } from './saved-net.js';

/** Of one image: its likeliest classes, the likeliest first, or why there are none. */
export type Prediction = { file: string; classes: LikelyClass[] } | { file: string; error: string };

const maxBatch = 32;

/** Finding a file takes a fraction of a millisecond; who writes paths to standard input one by one should not notice the wait. */
const patienceMs = 20;

/** Images of a group, decoded. */
interface Decoded {
  group: readonly ImageSource[];
  /** uint8 [readable images of the group, channels, height, width] */
  pixels: Uint8Array;
  /** By the place among the readable images: why it cannot be decoded. */
  broken: ReadonlyMap<number, string>;
}

/** Predictions for the images, in their order. */
export async function* predictImages(
  { net, record }: SavedNet,
  sources: AsyncIterator<ImageSource>,
  top: number,
  device: Device,
): AsyncGenerator<Prediction> {
  const classifier = new ImageClassifier(net, record, { device, maxBatch });
  const groups = inGroups(sources, maxBatch, patienceMs);
  const decodeNext = async (): Promise<Decoded | undefined> => {
    const { value, done } = await groups.next();
    return done ? undefined : decode(classifier, value);
  };
  let decoding = decodeNext();
  for (let decoded = await decoding; decoded; decoded = await decoding) {
    decoding = decodeNext();
    decoding.catch(() => {}); // it is thrown where it is awaited
    yield* predictGroup(classifier, decoded, top);
  }
}

async function decode(classifier: ImageClassifier, group: readonly ImageSource[]): Promise<Decoded> {
  const readable = group.filter((source): source is GivenImage => !('error' in source));
  const { pixels, broken } = await classifier.decode(
    readable.map(({ file, bytes }) => (bytes ? { name: 'standard input', bytes } : file)),
  );
  return { group, pixels, broken: new Map(broken.map(({ index, message }) => [index, message])) };
}

async function* predictGroup(
  classifier: ImageClassifier,
  { group, pixels, broken }: Decoded,
  top: number,
): AsyncGenerator<Prediction> {
  const images = pixels.length / classifier.imageBytes;
  const probabilities = images > 0 ? await classifier.classify(pixels) : new Float32Array(); // [images, classes]
  let row = 0;
  for (const source of group) {
    if ('error' in source) {
      yield source;
      continue;
    }
    const { file } = source;
    const error = broken.get(row);
    const classes = probabilities.length / images;
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    row += 1;
    yield error === undefined ? predictionOf(file, () => classifier.likeliest(own, top)) : { file, error };
  }
}

function predictionOf(file: string, likeliest: () => LikelyClass[]): Prediction {
  try {
    return { file, classes: likeliest() };
  } catch (error) {
    if (error instanceof NumericError) return { file, error: `${file}: ${error.message}` };
    throw error;
  }
}
