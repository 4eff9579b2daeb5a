// Mixup: images and labels of a batch, mixed in pairs (Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018).
import { SampleRandom } from '../data/sample-random.js';
import { gatherRows } from '../ops/index.js';
import { tensor } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

export interface MixupOptions {
  /** Both parameters of the Beta distribution of the share. */
  alpha: number;
  /** Seed of pairs and shares. Default 0. */
  seed?: number;
}

/** A mixed batch: the loss is share * loss(labels) + (1 - share) * loss(otherLabels). */
export interface MixedBatch {
  /** [n, ...], as the images were. */
  images: Tensor;
  /** int32 [n] */
  otherLabels: Tensor;
  /** float32 scalar */
  share: Tensor;
}

const stream = 0x6d69_7875; // apart from the streams of the loader's transforms

/** The choice depends on the seed, the epoch and the batch alone. */
export function mixup(
  X: Tensor,
  y: Tensor,
  { alpha, seed = 0 }: MixupOptions,
  epoch: number,
  batch: number,
): MixedBatch {
  const random = new SampleRandom({ seed, stream, epoch, position: batch });
  const share = beta(alpha, random);
  const order = random.shuffle(Int32Array.from({ length: y.size }, (_, i) => i));
  return tidy(() => {
    const rows = tensor(order, { dtype: 'int32', device: X.device }); // [n]
    const images = X.mul(share).add(gatherRows(X, rows).mul(1 - share));
    return { images, otherLabels: gatherRows(y, rows), share: tensor(share, { device: X.device }) };
  });
}

/** A draw from Beta(alpha, alpha): Joehnk, "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", 1964. */
function beta(alpha: number, random: SampleRandom): number {
  for (;;) {
    const x = random.uniform() ** (1 / alpha);
    const y = random.uniform() ** (1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}
