// An exponential moving average of a net's parameters and running statistics.

import { CheckpointError } from '../errors.js';
import { type HostTensor, type SafetensorsFile, usingSafetensors, writeSafetensors } from '../interop/safetensors.js';
import type { ParameterDict } from '../nn/parameter-dict.js';
import { assign, copy } from '../ops/index.js';
import { sgdUpdate } from '../ops/sgd.js';
import { tensor } from '../tensor/create.js';
import { untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * average = d * average + (1 - d) * parameter after each step, with d = min(decay, (1 + n) / (10 + n)) at update n, so that the first
 * values are soon forgotten (TensorFlow's ExponentialMovingAverage).
 */
export class ModelAverage {
  readonly #parameters: ParameterDict;
  readonly #decay: number;
  #averages = new Map<string, Tensor>();
  #updates = 0;

  constructor(parameters: ParameterDict, decay: number) {
    this.#parameters = parameters;
    this.#decay = decay;
  }

  get updates(): number {
    return this.#updates;
  }

  update(): void {
    if (this.#averages.size === 0) this.#averages = this.#copies();
    const decay = Math.min(this.#decay, (1 + this.#updates) / (10 + this.#updates));
    this.#updates += 1;
    const names = [...this.#averages.keys()];
    // w - (1 - d) * (w - parameter): a step of gradient descent from the average, with weight decay 1 and the parameter as its gradient.
    const hyper = { rescale: -1, momentum: 0, clip: 0, lrs: names.map(() => 1 - decay), wds: names.map(() => 1) };
    const values = names.map((name) => this.#parameters.get(name)?.data() as Tensor);
    sgdUpdate([...this.#averages.values()], values, null, hyper);
  }

  /** Runs `fn` while the net has the averaged values. */
  async use<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#averages.size === 0) return fn();
    const kept = this.#copies();
    this.#assign(this.#averages);
    try {
      return await fn();
    } finally {
      this.#assign(kept);
      for (const values of kept.values()) values.dispose();
    }
  }

  #copies(): Map<string, Tensor> {
    return untracked(() => new Map([...this.#parameters].map(([name, parameter]) => [name, copy(parameter.data())])));
  }

  #assign(from: ReadonlyMap<string, Tensor>): void {
    for (const [name, values] of from) assign(this.#parameters.get(name)?.data() as Tensor, values);
  }

  /** Writes the averages as a safetensors file that a net can load. */
  async save(file: string): Promise<void> {
    const reading = [...this.#averages].map(async ([name, values]): Promise<[string, HostTensor]> => {
      return [name, { shape: values.shape, values: await values.data() }];
    });
    await writeSafetensors(file, new Map(await Promise.all(reading)));
  }

  /** Reads what `save` wrote after so many updates. Throws CheckpointError. */
  async load(file: string, updates: number): Promise<void> {
    const loaded = await usingSafetensors(file, (source) => {
      this.#checkShapes(source);
      return Promise.all(
        [...source.tensors].map(async ([name, { shape }]) => ({ name, shape, values: await source.readFloats(name) })),
      );
    });
    this.dispose();
    this.#updates = updates;
    for (const { name, shape, values } of loaded) {
      const device = this.#parameters.get(name)?.data().device;
      this.#averages.set(
        name,
        untracked(() => tensor(values, { shape, ...(device && { device }) })),
      );
    }
  }

  #checkShapes({ file, tensors }: SafetensorsFile): void {
    for (const [name, { shape }] of tensors) {
      const expected = this.#parameters.get(name)?.shape;
      if (expected?.join() === shape.join()) continue;
      throw new CheckpointError(
        `${file}: tensor '${name}': expected shape [${expected ?? 'none'}], found [${shape}].`,
        {
          file,
          tensor: name,
        },
      );
    }
  }

  dispose(): void {
    for (const values of this.#averages.values()) values.dispose();
    this.#averages.clear();
  }
}
