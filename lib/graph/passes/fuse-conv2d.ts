// Inference: what follows a fused convolution and costs a pass over memory by itself - a residual sum, ReLU - becomes
// part of it.
import type { Node, Program } from '../program.js';
import { Users } from './users.js';

/** conv2dFused -> relu, and conv2dFused -> addRelu with a residual that nobody needs afterwards. */
export function fuseConv2d(program: Program): Program {
  let current = program;
  for (let next = fuseOne(current); next; next = fuseOne(current)) current = next;
  return current;
}

/** The program with one more fusion; null where there is none left. */
function fuseOne(program: Program): Program | null {
  const users = new Users(program);
  for (const conv of program.nodes) {
    if (conv.op !== 'conv2dFused' || conv.attributes.relu === true) continue;
    const next = users.onlyUser(conv.outputs[0] as number);
    const fused = next && (withRelu(conv, next) ?? withResidual(conv, next, users, program));
    // The convolution moves to where its result is used: all its inputs, and the residual, exist by then.
    if (fused)
      return {
        ...program,
        nodes: program.nodes.flatMap((node) => (node === conv ? [] : node === next ? [fused] : [node])),
      };
  }
  return null;
}

function withRelu(conv: Node, next: Node): Node | null {
  if (next.op !== 'relu') return null;
  return { ...conv, attributes: { ...conv.attributes, relu: true }, outputs: next.outputs };
}

function withResidual(conv: Node, next: Node, users: Users, program: Program): Node | null {
  if (next.op !== 'addRelu' || conv.attributes.hasResidual === true) return null;
  const residual = next.inputs.find((value) => value !== conv.outputs[0]);
  if (residual === undefined || !users.isLastUse(residual, next) || hasView(residual, users)) return null;
  if (conv.inputs.includes(residual)) return null; // the result would be written where the convolution still reads
  if (program.values[residual]?.dtype !== program.values[conv.outputs[0] as number]?.dtype) return null;
  const attributes = { ...conv.attributes, relu: true, hasResidual: true };
  return { ...conv, attributes, inputs: [...conv.inputs, residual], outputs: next.outputs };
}

/** Whether another value may share the value's storage, which must then not change. */
function hasView(value: number, users: Users): boolean {
  return [users.maker(value), ...users.users(value)].some((node) => node?.op === 'reshape');
}
