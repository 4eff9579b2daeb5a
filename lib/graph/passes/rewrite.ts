// What passes share that put nodes in the place of others.
import { type Node, type Program, updatedValues } from '../program.js';

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

/** Whether two values have one shape and type. */
export function areAlike({ values }: Pick<Program, 'values'>, a: number, b: number): boolean {
  const [one, other] = [values[a], values[b]];
  return one?.dtype === other?.dtype && one?.shape.join() === other?.shape.join();
}
