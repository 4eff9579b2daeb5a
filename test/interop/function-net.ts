// A block that is a function of its input, with the layers that the function uses.
import { nn, type Tensor } from '../../lib/index.js';

export class FunctionNet extends nn.Block {
  readonly layers: nn.Block[];
  readonly #fn: (x: Tensor) => Tensor;

  constructor(fn: (x: Tensor) => Tensor, layers: nn.Block[] = []) {
    super();
    this.#fn = fn;
    this.layers = layers;
  }

  override forward(x: Tensor): Tensor {
    return this.#fn(x);
  }
}
