// A program as text, one op a line, for people.
import type { Program, ValueDesc } from './program.js';

/** `%12 = conv2d(%3, $0) {strides 2,2} float32 [256, 64, 48, 48]`: $ are leaves, % what ops make. */
export function printProgram(program: Program): string {
  const name = (value: number): string => (value < program.leafCount ? `$${value}` : `%${value}`);
  const lines = program.nodes.map(({ op, attributes, inputs, outputs }) => {
    const made = outputs.map(name).join(', ');
    const types = outputs.map((value) => typeText(program.values[value] as ValueDesc)).join(', ');
    return `${made ? `${made} = ` : ''}${op}(${shortened(inputs.map(name))})${attributesText(attributes)} ${types}`.trimEnd();
  });
  return [...lines, `wanted: ${program.outputs.map(name).join(', ') || 'nothing'}`].join('\n');
}

const typeText = ({ dtype, shape }: ValueDesc): string => `${dtype} [${shape.join(', ')}]`;

/** A long list of inputs (an update of all parameters) as its first ones and their number. */
function shortened(inputs: readonly string[]): string {
  return inputs.length <= 8 ? inputs.join(', ') : `${inputs.slice(0, 4).join(', ')}, ... ${inputs.length} in all`;
}

/** What differs from nothing: attributes that are false, 0 or undefined are left out. */
function attributesText(attributes: Program['nodes'][number]['attributes']): string {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== false && value !== 0);
  return given.length === 0 ? '' : ` {${given.map(([key, value]) => `${key} ${String(value)}`).join('; ')}}`;
}
