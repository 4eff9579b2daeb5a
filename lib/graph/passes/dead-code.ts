// Leaves out ops whose results nobody uses and that change nothing.
import { type Program, updatedValues } from '../program.js';

export function eliminateDeadCode(program: Program): Program {
  const needed = new Set(program.outputs);
  const kept = program.nodes.toReversed().filter((node) => {
    const isNeeded = updatedValues(node).length > 0 || node.outputs.some((value) => needed.has(value));
    if (isNeeded) for (const value of node.inputs) needed.add(value);
    return isNeeded;
  });
  return { ...program, nodes: kept.reverse() };
}
