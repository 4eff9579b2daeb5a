// Training: the end of a residual block - BatchNorm, sum, ReLU - in one pass over memory, and its gradients likewise.
import type { Node, Program, ValueDesc } from '../program.js';
import { isBackwardOf } from './batch-norm-relu.js';
import { canMove, replaceNodes } from './rewrite.js';
import { Users } from './users.js';

interface Backward {
  gate: Node; // reluBackward
  norm: Node; // batchNormBackward
}

/** batchNorm -> addRelu, its only user, with the gradients of both. */
export function fuseBatchNormAddRelu(program: Program): Program {
  const users = new Users(program);
  const values = [...program.values];
  const replaced = new Map<Node, Node[]>();
  for (const norm of program.nodes) {
    if (norm.op !== 'batchNorm' || norm.attributes.training === false || norm.attributes.relu === true) continue;
    const [y, mean, variance] = norm.outputs as [number, number, number];
    const sum = users.onlyUser(y);
    if (sum?.op !== 'addRelu' || replaced.has(sum) || !canMove(program, norm, sum)) continue;
    const backward = backwardOf(norm, sum, program, users);
    if (!backward) continue;
    const residual = sum.inputs.find((value) => value !== y) as number;
    const mask = values.push({ shape: (values[y] as ValueDesc).shape, dtype: 'uint8' }) - 1;
    const [x, ...parameters] = norm.inputs as [number, ...number[]];
    const forward: Node = {
      op: 'batchNormAddRelu',
      attributes: norm.attributes,
      inputs: [x, residual, ...parameters],
      outputs: [sum.outputs[0] as number, mean, variance, mask],
    };
    replaced.set(norm, []);
    replaced.set(sum, [forward]);
    replaced.set(backward.gate, [fusedBackward(backward, mask)]);
    replaced.set(backward.norm, []);
  }
  return replaceNodes({ ...program, values }, replaced);
}

function backwardOf(norm: Node, sum: Node, program: Program, users: Users): Backward | null {
  for (const node of users.users(norm.outputs[1] as number)) {
    if (!isBackwardOf(node, norm)) continue;
    const gate = users.maker(node.inputs[1] as number);
    const isGate = gate?.op === 'reluBackward' && gate.inputs[1] === sum.outputs[0];
    if (isGate && canMove(program, node, gate)) return { gate, norm: node };
  }
  return null;
}

/** Also gives the residual's gradient, which is what the ReLU lets through. */
function fusedBackward({ gate, norm }: Backward, mask: number): Node {
  const [x, , ...others] = norm.inputs as [number, number, ...number[]];
  const [dx, ...parameters] = norm.outputs as [number, ...number[]];
  return {
    op: 'batchNormAddReluBackward',
    attributes: norm.attributes,
    inputs: [x, gate.inputs[0] as number, ...others, mask],
    outputs: [dx, gate.outputs[0] as number, ...parameters],
  };
}
