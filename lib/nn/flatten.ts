// Joins all axes but the first.
import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { Block } from './block.js';

/** [n, ...] -> [n, values a sample] */
export class Flatten extends Block {
  override forward(x: Tensor): Tensor {
    const [batch, ...rest] = x.shape;
    if (batch === undefined)
      throw new ShapeError('Flatten expected an input with a batch axis, got a scalar.', { found: x.shape });
    return x.reshape([batch, rest.reduce((n, d) => n * d, 1)]);
  }
}
