// The trainer: updates parameters with their gradients, once a step.
import { ConfigError } from '../errors.js';
import { Parameter } from '../nn/parameter.js';
import type { ParameterDict } from '../nn/parameter-dict.js';
import { sgdUpdate } from '../ops/index.js';
import { checkChoice, checkNumber } from '../options.js';
import { zeros } from '../tensor/create.js';
import { untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type CheckedSgdOptions, checkSgdOptions, type SgdOptions } from './sgd-options.js';
import { loadTrainerStates, saveTrainerStates } from './trainer-file.js';

/**
 * Stochastic gradient descent on the trainable parameters of a net, as Gluon's Trainer does it:
 *
 *     g = clip(gradient / batchSize) + wd * wdMult * weight
 *     m = momentum * m - lr * lrMult * g;   weight = weight + m
 *
 * With `nesterov`: weight = weight + momentum * m - lr * lrMult * g. One op updates all parameters.
 */
export class Trainer {
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #options: CheckedSgdOptions;
  #learningRate: number;
  #numUpdate = 0;
  #momenta = new Map<string, Tensor>(); // by parameter name, of the parameter's shape

  constructor(params: ParameterDict, optimizer: 'sgd', options: SgdOptions) {
    const isParameters = params instanceof Map && [...params.values()].every((value) => value instanceof Parameter);
    if (!isParameters || params.size === 0) {
      throw new ConfigError(
        `Trainer expected the parameters of a net, net.collectParams(), got ${params instanceof Map ? `a map of ${params.size} entries` : typeof params}.`,
        { argument: 'params' },
      );
    }
    checkChoice('Trainer', 'optimizer', optimizer, ['sgd']);
    this.#parameters = new Map(params);
    this.#options = checkSgdOptions(options);
    this.#learningRate = this.#options.learningRate;
  }

  /** The rate of the last update (of the first one before that): the scheduler's, where there is one, else the one set. */
  get learningRate(): number {
    return this.#options.lrScheduler?.at(this.#numUpdate, this.#learningRate) ?? this.#learningRate;
  }
  set learningRate(value: number) {
    if (this.#options.lrScheduler)
      throw new ConfigError('Trainer.learningRate cannot be set: an lrScheduler decides it.', {
        argument: 'learningRate',
      });
    this.#learningRate = checkNumber('Trainer', 'learningRate', value, { min: 0 });
  }

  /** How many updates were made. */
  get numUpdate(): number {
    return this.#numUpdate;
  }

  /**
   * Updates every trainable parameter with its gradient divided by `batchSize`. Throws ConfigError, before anything is
   * updated, where a gradient is missing.
   */
  step(batchSize: number): void {
    checkNumber('Trainer.step()', 'batchSize', batchSize, { min: 0, exclusive: true });
    const trained = [...this.#parameters].filter(([, parameter]) => parameter.trainable);
    const weights = trained.map(([name, parameter]) => weightOf(name, parameter));
    const grads = trained.map(([name], i) => gradientOf(name, weights[i] as Tensor));
    const { momentum, clip, wd, nesterov } = this.#options;
    const momenta = momentum === 0 ? null : trained.map(([name], i) => this.#momentumOf(name, weights[i] as Tensor));
    const lr = this.#options.lrScheduler?.at(this.#numUpdate + 1, this.#learningRate) ?? this.#learningRate;
    const hyper = {
      rescale: 1 / batchSize,
      momentum,
      clip,
      lrs: trained.map(([, parameter]) => lr * parameter.lrMult),
      wds: trained.map(([, parameter]) => wd * parameter.wdMult),
    };
    sgdUpdate(weights, grads, momenta, hyper, { nesterov });
    this.#numUpdate += 1;
  }

  /** Writes momentum and the number of updates to a safetensors file. Throws CheckpointError. */
  async saveStates(file: string): Promise<void> {
    await saveTrainerStates(file, { numUpdate: this.#numUpdate, momenta: this.#momenta });
  }

  /** Reads what `saveStates` wrote. Throws CheckpointError where it does not fit, and then changes nothing. */
  async loadStates(file: string): Promise<void> {
    const states = await loadTrainerStates(file, this.#parameters, this.#options.momentum > 0);
    for (const tensor of this.#momenta.values()) tensor.dispose();
    this.#momenta = states.momenta;
    this.#numUpdate = states.numUpdate;
  }

  /** Zeros at first. */
  #momentumOf(name: string, weight: Tensor): Tensor {
    let momentum = this.#momenta.get(name);
    if (!momentum) {
      momentum = untracked(() => zeros(weight.shape, { device: weight.device }));
      this.#momenta.set(name, momentum);
    }
    return momentum;
  }
}

function weightOf(name: string, parameter: Parameter): Tensor {
  if (parameter.initialized) return parameter.data();
  throw new ConfigError(
    `Trainer.step() expected parameter '${name}' to have values, got none: initialize() the net and run a forward pass first.`,
    { parameter: name },
  );
}

function gradientOf(name: string, weight: Tensor): Tensor {
  if (weight.grad) return weight.grad;
  throw new ConfigError(
    `Trainer.step() expected parameter '${name}' to have a gradient, got none: call backward() on a loss computed from it inside autograd.record() first, or set its trainable to false.`,
    { parameter: name },
  );
}
