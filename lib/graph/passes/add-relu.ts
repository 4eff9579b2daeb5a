// A sum and the ReLU after it in one pass over memory.
import type { Node, Program } from '../program.js';
import { replaceNodes, sumsOfOneUser } from './rewrite.js';
import { Users } from './users.js';

/** add of one shape -> relu, its only user, becomes addRelu. The gradients are made from the ReLU's result as before. */
export function fuseAddRelu(program: Program): Program {
  const users = new Users(program);
  const replaced = new Map<Node, Node[]>();
  for (const { add, a, b, user: relu } of sumsOfOneUser(program, users)) {
    if (relu.op !== 'relu') continue;
    replaced.set(add, []);
    replaced.set(relu, [{ op: 'addRelu', attributes: {}, inputs: [a, b], outputs: relu.outputs }]);
  }
  return replaceNodes(program, replaced);
}
