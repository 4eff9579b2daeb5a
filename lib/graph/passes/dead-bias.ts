// Training on a GPU: the bias of a convolution before BatchNorm. The batch's mean takes it away again, so its gradient is 0, and
// summing all of dy, a kernel of its own, gives but rounding noise around that. The bias itself stays, as the running mean has it
// in. Not on the CPU, where the kernel of the weights' gradient sums dy as it passes by.
import type { Target } from '../optimise.js';
import type { Node, Program } from '../program.js';
import { areAlike, replaceNodes } from './rewrite.js';
import { Users } from './users.js';

/**
 * conv2dBackwardWeights whose dy is the gradient of the training BatchNorm right behind its convolution no longer sums dy;
 * its db is bias - bias: zeros, and NaN where the bias is no number. Weight decay and momentum of the bias stay as they were.
 */
export function dropDeadBias(program: Program, target: Target): Program {
  if (target !== 'gpu') return program;
  const users = new Users(program);
  const replaced = new Map<Node, Node[]>();
  for (const node of program.nodes) {
    if (node.op !== 'conv2dBackwardWeights' || node.attributes.hasBias !== true) continue;
    const [dw, db] = node.outputs as [number, number];
    const bias = normalisedBias(node.inputs[1] as number, users);
    if (bias === undefined || !areAlike(program, bias, db)) continue;
    replaced.set(node, [
      { ...node, attributes: { ...node.attributes, hasBias: false }, outputs: [dw] },
      { op: 'sub', attributes: {}, inputs: [bias, bias], outputs: [db] },
    ]);
  }
  return replaceNodes(program, replaced);
}

/** The bias of the convolution whose result a training BatchNorm took, where dy is that BatchNorm's gradient of it. */
function normalisedBias(dy: number, users: Users): number | undefined {
  const norm = users.maker(dy);
  if (!norm || !['batchNormBackward', 'batchNormAddReluBackward'].includes(norm.op)) return undefined;
  if (norm.attributes.training === false || norm.outputs[0] !== dy) return undefined;
  const conv = users.maker(norm.inputs[0] as number);
  return conv?.op === 'conv2d' ? conv.inputs[2] : undefined;
}
