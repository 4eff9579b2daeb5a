// Finds where NaN or infinity comes up first in a forward pass.
import { pause } from '../autograd/tape.js';
import type { Block } from '../nn/block.js';
import { observing } from '../nn/forward.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { areFinite } from './all-finite.js';

/**
 * Structural name of the first layer whose output is not finite, in a forward pass in training mode, op by op; 'input' where X is not;
 * 'loss' where every output is finite. Updates running statistics, as every such pass.
 */
export function firstBadLayer(net: Block, X: Tensor): string {
  if (!areFinite([X])) return 'input';
  let found: Block | undefined;
  observing(
    (block, output) => {
      if (!found && !areFinite([output])) found = block;
    },
    () => pause(() => tidy(() => void net.forward(X)), { training: true }),
  );
  if (!found) return 'loss';
  for (const [path, block] of net.descendants()) if (block === found) return path || block.name;
  return found.name;
}
