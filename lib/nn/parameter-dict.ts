// The parameters of a net, by name.
import type { Parameter } from './parameter.js';

/** Parameters by structural name, in definition order. */
export class ParameterDict extends Map<string, Parameter> {
  override toString(): string {
    return [...this].map(([name, parameter]) => `${name} [${parameter.shape.join(', ')}]`).join('\n');
  }
}
