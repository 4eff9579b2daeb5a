// What passes share that put nodes in the place of others.
import { type Node, type Program, updatedValues } from '../program.js';
import type { Users } from './users.js';

/** The program with nodes in the place of others; an empty list takes a node away. */
export function replaceNodes(program: Program, replaced: ReadonlyMap<Node, readonly Node[]>): Program {
  if (replaced.size === 0) return program;
  return { ...program, nodes: program.nodes.flatMap((node) => replaced.get(node) ?? [node]) };
}

/**
 * Whether a node gives the same at the place of `other`, an earlier or a later one: nothing between them changes what it reads, or
 * looks at what it updates.
 */
export function canMove({ nodes }: Program, node: Node, other: Node): boolean {
  const [from, to] = [nodes.indexOf(node), nodes.indexOf(other)].sort((a, b) => a - b) as [number, number];
  const updated = updatedValues(node);
  return nodes.slice(from + 1, to).every((between) => {
    const isChanged = updatedValues(between).some((value) => node.inputs.includes(value));
    return !isChanged && !between.inputs.some((value) => updated.includes(value));
  });
}

/** Sums of two values of one shape and type that go into one op alone and can be made there. */
export function* sumsOfOneUser(program: Program, users: Users) {
  for (const add of program.nodes) {
    if (add.op !== 'add') continue;
    const [a, b] = add.inputs as [number, number];
    const sum = add.outputs[0] as number;
    const user = users.onlyUser(sum);
    if (user && areAlike(program, a, b) && canMove(program, add, user)) yield { add, a, b, sum, user };
  }
}

/** Whether two values have one shape and type. */
export function areAlike({ values }: Pick<Program, 'values'>, a: number, b: number): boolean {
  const [one, other] = [values[a], values[b]];
  return one?.dtype === other?.dtype && one?.shape.join() === other?.shape.join();
}
