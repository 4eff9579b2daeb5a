// Blocks for tests.
import { init, nn, type Tensor } from '../../lib/index.js';

/** Two dense layers and a parameter of its own. */
export class TwoLayers extends nn.Block {
  first = new nn.Dense(4);
  second = new nn.Dense(2, { useBias: false });
  scale = new nn.Parameter('scale', { shape: [1], init: new init.One() });
  override forward(x: Tensor): Tensor {
    const hidden = this.first.forward(x).relu();
    return this.second.forward(hidden).mul(this.scale.data());
  }
}

/** A block of blocks, and an array of them. */
export class Outer extends nn.Block {
  body = new TwoLayers();
  heads = [new nn.Dense(1), new nn.Dense(3)];
  override forward(x: Tensor): Tensor {
    const y = this.body.forward(x);
    return (this.heads[1] as nn.Block).forward((this.heads[0] as nn.Block).forward(y));
  }
}
