// Where a ReLU's result went two ways (a residual block, into its convolutions and round them): the sum of both gradients and
// the ReLU's own gradient in one pass over memory, with the same bits.
import type { Node, Program } from '../program.js';
import { areAlike, canMove, replaceNodes } from './rewrite.js';
import { Users } from './users.js';

/** add of one shape -> reluBackward, its only user, becomes addReluBackward. */
export function fuseAddReluBackward(program: Program): Program {
  const users = new Users(program);
  const replaced = new Map<Node, Node[]>();
  for (const add of program.nodes) {
    if (add.op !== 'add') continue;
    const [a, b] = add.inputs as [number, number];
    const sum = add.outputs[0] as number;
    const gate = users.onlyUser(sum);
    if (gate?.op !== 'reluBackward' || gate.inputs[0] !== sum) continue;
    const y = gate.inputs[1] as number;
    if (!areAlike(program, a, b) || !areAlike(program, a, y) || !canMove(program, add, gate)) continue;
    replaced.set(add, []);
    replaced.set(gate, [{ op: 'addReluBackward', attributes: {}, inputs: [a, b, y], outputs: gate.outputs }]);
  }
  return replaceNodes(program, replaced);
}
