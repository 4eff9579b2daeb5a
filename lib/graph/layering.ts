// Where the nodes of a program stand in a picture: each in the row below all that it reads, what follows another in its column.
import type { Node, Program } from './program.js';

/** Row and column of a node, from the upper left, counted from 0. */
export interface Place {
  row: number;
  column: number;
}

/** The places of all nodes, by longest path: a shortcut stands beside the main path, a gradient of weights beside that of the data. */
export function placeNodes(program: Program): Map<Node, Place> {
  const makers = new Map<number, Node>();
  for (const node of program.nodes) for (const value of node.outputs) makers.set(value, node);
  const places = new Map<Node, Place>();
  const taken = new Set<string>(); // 'row:column'
  let previous: Place = { row: 0, column: 0 };
  for (const node of program.nodes) {
    const before = node.inputs.flatMap((value) => places.get(makers.get(value) as Node) ?? []);
    // What reads leaves alone would stand at the top: it goes to the op that is recorded just before it.
    const row = before.length > 0 ? 1 + Math.max(...before.map((place) => place.row)) : previous.row;
    let column = before[0]?.column ?? 0;
    while (taken.has(`${row}:${column}`)) column += 1;
    taken.add(`${row}:${column}`);
    previous = { row, column };
    places.set(node, previous);
  }
  return places;
}
