// How much arithmetic a net does for an image, counted from the shapes of its convolutions and dense layers.
import { autograd, nn, tidy, zeros } from '../lib/index.js';
import { observing } from '../lib/nn/forward.js';
import { type BenchModel, initialised } from './models.js';

export interface ModelWork {
  /** GFLOP of one image: two for each multiplication with its addition. */
  inference: number;
  /** As above, with the gradients of all weights, and of all layers' inputs but for the first's. */
  training: number;
}

/** The work of one image. BatchNorm, pooling and the rest are left out: they are bound by memory. */
export function workOf(model: BenchModel): ModelWork {
  const net = initialised(model);
  const layers: number[] = []; // GFLOP of each layer's forward pass, in order
  const observe = (block: nn.Block, output: { shape: readonly number[] }): void => {
    const gflop = (2 * multiplications(block, output.shape)) / 1e9;
    if (gflop > 0) layers.push(gflop);
  };
  autograd.pause(() => tidy(() => void observing(observe, () => net.forward(zeros([1, ...model.imageShape])))));
  const forward = layers.reduce((sum, gflop) => sum + gflop, 0);
  return { inference: forward, training: 3 * forward - (layers[0] ?? 0) };
}

/** Of a layer's forward pass, for an output of this shape; 0 for layers that are not counted. */
function multiplications(block: nn.Block, output: readonly number[]): number {
  const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
  if (block instanceof nn.Conv2D) return (count(output) * count(block.weight.shape)) / block.channels;
  if (block instanceof nn.Dense) return (output[0] as number) * count(block.weight.shape);
  return 0;
}
