// Dropout.
import { isTraining } from '../autograd/tape.js';
import { dropout } from '../ops/index.js';
import { checkNumber } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { Block } from './block.js';

/**
 * In training mode sets each value to 0 with probability `rate` and multiplies the others by 1 / (1 - rate); otherwise
 * gives its input back. Srivastava et al., "Dropout", 2014.
 */
export class Dropout extends Block {
  readonly rate: number;
  constructor(rate: number) {
    super();
    this.rate = checkNumber('Dropout', 'rate', rate, { min: 0, max: 1 });
  }
  protected override describe(): string {
    return String(this.rate);
  }
  override forward(x: Tensor): Tensor {
    return isTraining() && this.rate > 0 ? dropout(x, this.rate) : x;
  }
}
