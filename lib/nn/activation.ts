// The activation layer and the activations that other layers can apply.
import { relu } from '../ops/index.js';
import { checkChoice } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { Block } from './block.js';

export type ActivationName = 'relu';
const names = ['relu'] as const;

/** Checks the `activation` option of a layer: a name, or none. */
export function checkActivation(where: string, activation: unknown): ActivationName | undefined {
  return activation === undefined ? undefined : checkChoice(where, 'activation', activation, names);
}

/** Applies an activation, or none. */
export function activate(x: Tensor, activation: ActivationName | undefined): Tensor {
  return activation === 'relu' ? relu(x) : x;
}

/** max(x, 0), for any shape. */
export class Activation extends Block {
  readonly activation: ActivationName;
  constructor(activation: ActivationName) {
    super();
    this.activation = checkChoice('Activation', 'activation', activation, names);
  }
  protected override kind(): string {
    return 'relu';
  }
  protected override describe(): string {
    return this.activation;
  }
  override forward(x: Tensor): Tensor {
    return activate(x, this.activation);
  }
}
