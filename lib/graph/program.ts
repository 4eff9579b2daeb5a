// A program: ops recorded in order, with no data. What passes rewrite and native code plans and runs.
import type { DType, NativeBackend, NativeProgram, NativeTensor, OpAttributes } from '../native.js';

/** Type and logical shape of a value. */
export interface ValueDesc {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** One op: what it reads and makes, by value number. */
export interface Node {
  op: string;
  attributes: OpAttributes;
  inputs: number[];
  outputs: number[];
}

/** Values are numbered: first the leaves, tensors that exist outside (images, labels, parameters), then what nodes make. */
export interface Program {
  readonly leafCount: number;
  /** By value number. */
  values: ValueDesc[];
  nodes: Node[];
  /** Values that are wanted after a run. */
  outputs: number[];
}

const none: number[] = []; // not made anew for each op that is run

/** Inputs that an op updates in place, by position. */
export function updatedInputs(op: string, attributes: OpAttributes, inputCount: number): number[] {
  switch (op) {
    case 'assign':
      return [0];
    case 'batchNorm':
      return attributes.training === false ? [] : [3, 4];
    case 'batchNormAddRelu':
      return attributes.training === false ? [] : [4, 5];
    case 'conv2dFused':
      return attributes.hasResidual === true ? [3] : [];
    case 'sgd':
      return updatedByOptimizer(attributes.hasMomentum === true ? 1 : 0, inputCount);
    case 'adamW':
      return updatedByOptimizer(2, inputCount);
    default:
      return none;
  }
}

/** Inputs are the weight, the gradient and `states` more of each parameter, last the hyper-parameters: all but gradients. */
function updatedByOptimizer(states: number, inputCount: number): number[] {
  const group = 2 + states;
  return Array.from({ length: inputCount - 1 }, (_, i) => i).filter((i) => i % group !== 1);
}

/** The values that a node updates in place. */
export const updatedValues = ({ op, attributes, inputs }: Node): number[] =>
  updatedInputs(op, attributes, inputs.length).map((position) => inputs[position] as number);

/**
 * Plans a program for tensors like `leaves`, to the end or for so many milliseconds: native code numbers values in the order of the
 * nodes.
 */
export function compile(
  backend: NativeBackend,
  program: Program,
  leaves: readonly NativeTensor[],
  milliseconds?: number,
): NativeProgram {
  const numbers = new Map<number, number>();
  for (let leaf = 0; leaf < program.leafCount; leaf++) numbers.set(leaf, leaf);
  const nodes = program.nodes.map(({ op, attributes, inputs, outputs }) => {
    const renumbered = inputs.map((value) => numbers.get(value) as number);
    for (const value of outputs) numbers.set(value, numbers.size);
    return { op, attributes, inputs: renumbered, outputCount: outputs.length };
  });
  return backend.compile(
    nodes,
    leaves,
    program.outputs.map((value) => numbers.get(value) as number),
    milliseconds,
  );
}
