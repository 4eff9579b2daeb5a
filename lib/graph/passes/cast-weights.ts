// Training in bfloat16 on the CPU: convolutions read the float32 weights themselves. Each lays the weights out in a way of its own,
// and casts them as it does so; a cast of their own costs a pass over memory, and room until the backward pass.
import type { Target } from '../optimise.js';
import { type Node, type Program, updatedValues } from '../program.js';
import { replaceNodes } from './rewrite.js';
import { Users } from './users.js';

const withWeights = new Set(['conv2d', 'conv2dBackwardData']); // second of their inputs

/**
 * Takes the cast out of cast -> conv2d and cast -> conv2dBackwardData, where the program updates the weights later on: others are
 * cast once and for all (prologue.ts). What nobody uses then is dead code.
 */
export function castWeightsInConv2d(program: Program, target: Target): Program {
  if (target !== 'cpu') return program;
  const users = new Users(program);
  const firstUpdates = indexOfFirstUpdates(program);
  const replaced = new Map<Node, Node[]>();
  for (const [index, node] of program.nodes.entries()) {
    if (!withWeights.has(node.op) || (node.attributes.groups ?? 1) !== 1) continue;
    const [image, weights, ...rest] = node.inputs as [number, number];
    const cast = users.maker(weights);
    if (cast?.op !== 'cast' || program.values[weights]?.dtype !== 'bfloat16') continue;
    const master = cast.inputs[0] as number;
    if (program.values[master]?.dtype !== 'float32' || index > (firstUpdates.get(master) ?? -1)) continue;
    const attributes = { ...node.attributes, castsWeights: true };
    replaced.set(node, [{ ...node, attributes, inputs: [image, master, ...rest] }]);
  }
  return replaceNodes(program, replaced);
}

/** Where in the program each value is updated first. */
function indexOfFirstUpdates({ nodes }: Program): Map<number, number> {
  const first = new Map<number, number>();
  for (const [index, node] of nodes.entries())
    for (const value of updatedValues(node)) if (!first.has(value)) first.set(value, index);
  return first;
}
