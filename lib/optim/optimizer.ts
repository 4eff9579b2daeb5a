// What the trainer asks of an optimiser, and the tensors that optimisers keep beside each parameter.
import type { Parameter } from '../nn/parameter.js';
import { zeros } from '../tensor/create.js';
import { untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { CheckedOptions } from './optimizer-options.js';

/** One parameter's part of a step. */
export interface ParameterUpdate {
  name: string;
  parameter: Parameter;
  weight: Tensor;
  grad: Tensor;
}

export interface Optimizer {
  readonly name: 'sgd' | 'adamw';
  readonly options: CheckedOptions;
  readonly states: ParameterStates;
  /** Updates parameters with their gradients, which are multiplied by `rescale` first, as one op. `lr`: before the parameters' multipliers. */
  apply(updates: readonly ParameterUpdate[], lr: number, rescale: number): void;
  /** How often each parameter was updated, by its name; null where updates do not depend on it. */
  updateCounts: ReadonlyMap<string, number> | null;
}

/** Tensors of the parameters' shapes: 'momentum.9.weight'. Those of a parameter that was never updated are not there. */
export class ParameterStates {
  /** 'momentum' */
  readonly names: readonly string[];
  #tensors = new Map<string, Tensor>();

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** By state and parameter. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#tensors;
  }

  /** Zeros at first. */
  of(state: string, { name, weight }: ParameterUpdate): Tensor {
    const key = `${state}.${name}`;
    let tensor = this.#tensors.get(key);
    if (!tensor) {
      tensor = untracked(() => zeros(weight.shape, { device: weight.device }));
      this.#tensors.set(key, tensor);
    }
    return tensor;
  }

  replace(tensors: Map<string, Tensor>): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors = tensors;
  }
}
