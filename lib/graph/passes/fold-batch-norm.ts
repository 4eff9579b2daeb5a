// Inference: BatchNorm becomes part of the convolution before it, whose weights and bias do its arithmetic too.
import type { Node, Program, ValueDesc } from '../program.js';
import { Users } from './users.js';

/** conv2d -> batchNorm (not training, the only user) becomes foldBatchNorm of the weights -> conv2dFused. */
export function foldBatchNorm(program: Program): Program {
  const users = new Users(program);
  const values = [...program.values];
  const replaced = new Map<Node, Node[]>();
  for (const conv of program.nodes) {
    const norm = conv.op === 'conv2d' ? users.onlyUser(conv.outputs[0] as number) : undefined;
    if (norm?.op !== 'batchNorm' || norm.attributes.training !== false || norm.inputs[0] !== conv.outputs[0]) continue;
    const nodes = folded(conv, norm, values, users);
    if (!nodes) continue;
    replaced.set(conv, []);
    replaced.set(norm, nodes);
  }
  return { ...program, values, nodes: program.nodes.flatMap((node) => replaced.get(node) ?? [node]) };
}

/** The nodes that take the place of both; null where the weights are neither float32 nor a cast of such. */
function folded(conv: Node, norm: Node, values: ValueDesc[], users: Users): Node[] | null {
  const [x, weight, bias] = conv.inputs as [number, number, number?];
  const [, gamma, beta, mean, variance] = norm.inputs as [number, number, number, number, number];
  const cast = users.maker(weight);
  const isCast = cast?.op === 'cast' && values[cast.inputs[0] as number]?.dtype === 'float32';
  const master = isCast ? (cast.inputs[0] as number) : weight; // float32
  const describe = (value: number): ValueDesc => values[value] as ValueDesc;
  const perChannel = [gamma, beta, mean, variance];
  if (
    [master, ...(bias === undefined ? [] : [bias]), ...perChannel].some((value) => describe(value).dtype !== 'float32')
  )
    return null;
  if ([master, ...perChannel].some((value) => users.isUpdated(value))) return null;
  const add = (desc: ValueDesc): number => values.push(desc) - 1;
  const foldedWeight = add(describe(master));
  const foldedBias = add(describe(beta));
  const fold: Node = {
    op: 'foldBatchNorm',
    attributes: { epsilon: norm.attributes.epsilon },
    inputs: [master, ...(bias === undefined ? [] : [bias]), ...perChannel],
    outputs: [foldedWeight, foldedBias],
  };
  const nodes = [fold];
  let convWeight = foldedWeight;
  if (isCast) {
    convWeight = add(describe(weight));
    nodes.push({ ...cast, inputs: [foldedWeight], outputs: [convWeight] });
  }
  const attributes = { ...conv.attributes, relu: norm.attributes.relu === true, hasResidual: false };
  nodes.push({ op: 'conv2dFused', attributes, inputs: [x, convWeight, foldedBias], outputs: norm.outputs });
  return nodes;
}
