// A sum and the ReLU after it in one pass over memory.
import type { Node, Program } from '../program.js';
import { areAlike, canMove, replaceNodes } from './rewrite.js';
import { Users } from './users.js';

/** add of one shape -> relu, its only user, becomes addRelu. The gradients are made from the ReLU's result as before. */
export function fuseAddRelu(program: Program): Program {
  const users = new Users(program);
  const replaced = new Map<Node, Node[]>();
  for (const add of program.nodes) {
    if (add.op !== 'add') continue;
    const [a, b] = add.inputs as [number, number];
    const relu = users.onlyUser(add.outputs[0] as number);
    if (relu?.op !== 'relu' || !areAlike(program, a, b) || !canMove(program, add, relu)) continue;
    replaced.set(add, []);
    replaced.set(relu, [{ op: 'addRelu', attributes: {}, inputs: [a, b], outputs: relu.outputs }]);
  }
  return replaceNodes(program, replaced);
}
