// Training on the CPU: where the result of a residual block went two ways (into the next block and round it), the sum of both
// gradients in the pass over memory that takes the gradient of its BatchNorm, sum and ReLU. Not on a GPU, for which cuDNN has no
// such engine.
import type { Target } from '../optimise.js';
import type { Node, Program } from '../program.js';
import { replaceNodes, sumsOfOneUser } from './rewrite.js';
import { Users } from './users.js';

/** add of one shape -> batchNormAddReluBackward, its only user, becomes batchNormAddReluBackward of two gradients. */
export function fuseResidualGradient(program: Program, target: Target): Program {
  if (target !== 'cpu') return program;
  const users = new Users(program);
  const replaced = new Map<Node, Node[]>();
  for (const { add, a, b, sum, user: norm } of sumsOfOneUser(program, users)) {
    if (norm.op !== 'batchNormAddReluBackward' || norm.inputs.length !== 7 || norm.inputs[1] !== sum) continue;
    const [x, , ...others] = norm.inputs as [number, number, ...number[]];
    replaced.set(add, []);
    replaced.set(norm, [{ ...norm, inputs: [x, a, ...others, b] }]);
  }
  return replaceNodes(program, replaced);
}
