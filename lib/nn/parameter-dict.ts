// The parameters of a net, by name.
import { checkChoice } from '../options.js';
import type { Parameter } from './parameter.js';

/** What `setattr` may set. */
interface ParameterAttributes {
  trainable: boolean;
  lrMult: number;
  wdMult: number;
}

const attributeNames = ['trainable', 'lrMult', 'wdMult'] as const;

/** Parameters by structural name, in definition order. */
export class ParameterDict extends Map<string, Parameter> {
  /**
   * Sets an attribute of all: `net.collectParams(/^fc/).setattr('lrMult', 10)`. Throws ConfigError for other names and values.
   */
  setattr<K extends keyof ParameterAttributes>(name: K, value: ParameterAttributes[K]): void {
    checkChoice('ParameterDict.setattr()', 'name', name, attributeNames);
    for (const parameter of this.values()) (parameter as ParameterAttributes)[name] = value;
  }

  /**
   * Keeps all as they are in training: `backward()` computes no gradient for them, and goes no further back than it must
   * for others; the trainer passes over them. `net.collectParams(/^(conv1|bn1|layer[12])/).freeze()`
   *
   * BatchNorm's running statistics are not parameters that train: `nn.freezeStatistics()` keeps those.
   */
  freeze(): void {
    for (const parameter of this.values()) parameter.trainable = false;
  }

  /** Undoes `freeze()`. What its layer never trains (running statistics) stays untrained. */
  unfreeze(): void {
    for (const parameter of this.values()) parameter.unfreeze();
  }

  override toString(): string {
    return [...this].map(([name, parameter]) => `${name} [${parameter.shape.join(', ')}]`).join('\n');
  }
}
