// BatchNorm and the ReLU after it in one pass over memory, and their gradients in one too.
import type { Node, Program, ValueDesc } from '../program.js';
import { canMove, replaceNodes } from './rewrite.js';
import { Users } from './users.js';

/** batchNorm -> relu, its only user, becomes batchNorm with relu; so does reluBackward -> batchNormBackward. */
export function fuseBatchNormRelu(program: Program): Program {
  const users = new Users(program);
  const values = [...program.values];
  const replaced = new Map<Node, Node[]>();
  for (const norm of program.nodes) {
    if (norm.op !== 'batchNorm' || norm.attributes.relu === true) continue;
    const [y, ...statistics] = norm.outputs as [number, ...number[]];
    const relu = users.onlyUser(y);
    if (relu?.op !== 'relu') continue;
    const outputs = [relu.outputs[0] as number, ...statistics];
    if (norm.attributes.training !== false) {
      const mask = values.push({ shape: (values[y] as ValueDesc).shape, dtype: 'uint8' }) - 1;
      outputs.push(mask);
      fuseBackward(norm, relu, mask, program, users, replaced);
    }
    replaced.set(norm, [{ ...norm, attributes: { ...norm.attributes, relu: true }, outputs }]);
    replaced.set(relu, []);
  }
  return replaceNodes({ ...program, values }, replaced);
}

/** The gradient, where it is in this program too. Elsewhere it is made from the ReLU's result, which stays. */
function fuseBackward(
  norm: Node,
  relu: Node,
  mask: number,
  program: Program,
  users: Users,
  replaced: Map<Node, Node[]>,
): void {
  for (const backward of users.users(norm.outputs[1] as number)) {
    if (!isBackwardOf(backward, norm)) continue;
    const gate = users.maker(backward.inputs[1] as number);
    if (gate?.op !== 'reluBackward' || gate.inputs[1] !== relu.outputs[0]) continue;
    if (users.onlyUser(gate.outputs[0] as number) !== backward || !canMove(program, gate, backward)) continue;
    const [x, , ...others] = backward.inputs as [number, number, ...number[]];
    const inputs = [x, gate.inputs[0] as number, ...others, mask];
    replaced.set(gate, []);
    replaced.set(backward, [{ ...backward, attributes: { ...backward.attributes, relu: true }, inputs }]);
  }
}

/** Whether a node is the gradient of this very batchNorm in training. */
export function isBackwardOf(node: Node, norm: Node): boolean {
  const isBackward = node.op === 'batchNormBackward' && node.attributes.training !== false;
  return (
    isBackward &&
    node.attributes.relu !== true &&
    node.inputs[0] === norm.inputs[0] &&
    node.inputs[4] === norm.outputs[1]
  );
}
