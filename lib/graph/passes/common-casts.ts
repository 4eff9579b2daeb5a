// The same value cast to the same type twice is cast once.
import { type Program, updatedValues } from '../program.js';

export function shareCommonCasts(program: Program): Program {
  const casts = new Map<string, number>(); // 'value:type' -> the value that holds the cast
  const instead = new Map<number, number>();
  const nodes = program.nodes.flatMap((node) => {
    const inputs = node.inputs.map((value) => instead.get(value) ?? value);
    for (const value of updatedValues({ ...node, inputs })) forget(casts, value);
    const [output] = node.outputs;
    if (node.op !== 'cast' || output === undefined) return [{ ...node, inputs }];
    const key = `${inputs[0]}:${node.attributes.dtype}`;
    const known = casts.get(key);
    if (known === undefined || program.outputs.includes(output)) {
      casts.set(key, output);
      return [{ ...node, inputs }];
    }
    instead.set(output, known);
    return [];
  });
  return { ...program, nodes };
}

/** The value changes: what was cast before is not what a cast would give now. */
function forget(casts: Map<string, number>, value: number): void {
  for (const key of casts.keys()) if (key.startsWith(`${value}:`)) casts.delete(key);
}
