// The part of a program that depends on parameters alone: it runs when these have changed, not each time.

import { Users } from './passes/users.js';
import type { Node, Program } from './program.js';

/** A program in two: `main` has the outputs of `prologue` as further leaves, behind those of the program. */
export interface SplitProgram {
  prologue: Program;
  /** Leaves that the prologue reads. */
  reads: number[];
  main: Program;
}

/** Splits off foldBatchNorm, and casts of its results and of weights. */
export function splitPrologue(program: Program): SplitProgram {
  const users = new Users(program);
  const early = new Set<Node>();
  const isEarlyValue = (value: number): boolean => {
    const maker = users.maker(value);
    return maker ? early.has(maker) : !users.isUpdated(value);
  };
  for (const node of program.nodes)
    if (belongs(node, program, users) && node.inputs.every(isEarlyValue)) early.add(node);
  const prologueNodes = program.nodes.filter((node) => early.has(node));
  const made = prologueNodes.flatMap((node) => node.outputs);
  const usedLater = new Set([
    ...program.nodes.filter((node) => !early.has(node)).flatMap((node) => node.inputs),
    ...program.outputs,
  ]);
  const handedOver = made.filter((value) => usedLater.has(value));
  return {
    prologue: { ...program, nodes: prologueNodes, outputs: handedOver },
    reads: [...new Set(prologueNodes.flatMap((node) => node.inputs))].filter((value) => value < program.leafCount),
    main: withLeaves(
      program,
      program.nodes.filter((node) => !early.has(node)),
      handedOver,
    ),
  };
}

/** Ops on parameters: by what they are, or by what their result is used for. */
function belongs(node: Node, program: Program, users: Users): boolean {
  if (node.op === 'foldBatchNorm') return true;
  if (node.op !== 'cast') return false;
  const [input, output] = [node.inputs[0] as number, node.outputs[0] as number];
  if (users.maker(input)?.op === 'foldBatchNorm') return true;
  return input < program.leafCount && users.users(output).every((user) => isWeightOf(user, output));
}

const isWeightOf = ({ op, inputs }: Node, value: number): boolean =>
  ['conv2d', 'conv2dFused', 'dense'].includes(op) && inputs[0] !== value;

/** The program of these nodes, with `values` as leaves behind the others. All values are renumbered. */
function withLeaves(program: Program, nodes: Node[], values: readonly number[]): Program {
  const { leafCount } = program;
  const order = [
    ...Array.from({ length: leafCount }, (_, leaf) => leaf),
    ...values,
    ...nodes.flatMap((node) => node.outputs),
  ];
  const numbers = new Map(order.map((value, number) => [value, number]));
  const renumber = (list: readonly number[]): number[] => list.map((value) => numbers.get(value) as number);
  return {
    leafCount: leafCount + values.length,
    values: order.map((value) => program.values[value] as Program['values'][number]),
    nodes: nodes.map((node) => ({ ...node, inputs: renumber(node.inputs), outputs: renumber(node.outputs) })),
    outputs: renumber(program.outputs),
  };
}
