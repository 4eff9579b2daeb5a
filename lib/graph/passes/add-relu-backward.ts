// Where a ReLU's result went two ways (a residual block, into its convolutions and round them): the sum of both gradients and
// the ReLU's own gradient in one pass over memory, with the same bits.
import type { Node, Program } from '../program.js';
import { areAlike, replaceNodes, sumsOfOneUser } from './rewrite.js';
import { Users } from './users.js';

/** add of one shape -> reluBackward, its only user, becomes addReluBackward. */
export function fuseAddReluBackward(program: Program): Program {
  const users = new Users(program);
  const replaced = new Map<Node, Node[]>();
  for (const { add, a, b, sum, user: gate } of sumsOfOneUser(program, users)) {
    const y = gate.inputs[1] as number;
    if (gate.op !== 'reluBackward' || gate.inputs[0] !== sum || !areAlike(program, a, y)) continue;
    replaced.set(add, []);
    replaced.set(gate, [{ op: 'addReluBackward', attributes: {}, inputs: [a, b, y], outputs: gate.outputs }]);
  }
  return replaceNodes(program, replaced);
}
