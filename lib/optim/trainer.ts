// The trainer: updates parameters with their gradients, once a step.
import { LossScaler, useLossScaler } from '../autograd/loss-scale.js';
import { ConfigError } from '../errors.js';
import { flushDeferred } from '../graph/deferral.js';
import { Parameter } from '../nn/parameter.js';
import type { ParameterDict } from '../nn/parameter-dict.js';
import { allFinite } from '../ops/sgd.js';
import { checkBoolean, checkChoice, checkNumber, checkOptions } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { AdamW } from './adam-w.js';
import { clipFactor } from './clip-norm.js';
import type { Optimizer, ParameterUpdate } from './optimizer.js';
import type { AdamWOptions, SgdOptions } from './optimizer-options.js';
import { Sgd } from './sgd.js';
import { loadTrainerStates, saveTrainerStates } from './trainer-file.js';

/**
 * Updates the trainable parameters of a net with their gradients, as Gluon's Trainer does. 'sgd' is stochastic gradient descent:
 *
 *     g = clip(c * gradient / batchSize) + wd * wdMult * weight
 *     m = momentum * m - lr * lrMult * g;   weight = weight + m
 *
 * where c is 1, or what `clipNorm` makes of the norm of all gradients. With `nesterov`: weight = weight + momentum * m - lr * lrMult * g.
 *
 * 'adamw' is AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019), as PyTorch has it: with g = clip(c * gradient /
 * batchSize), and t counting the updates of the parameter,
 *
 *     m = beta1 * m + (1 - beta1) * g;   v = beta2 * v + (1 - beta2) * g^2
 *     weight = (1 - lr * lrMult * wd * wdMult) * weight - lr * lrMult * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * One op updates all parameters.
 */
export class Trainer {
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #optimizer: Optimizer;
  #learningRate: number;
  #numUpdate = 0;
  readonly #lossScaler = new LossScaler();
  #skippedSteps = 0;
  readonly #used = new WeakMap<Tensor, number>(); // gradients of earlier steps, with the version they had

  constructor(params: ParameterDict, optimizer: 'sgd', options: SgdOptions);
  constructor(params: ParameterDict, optimizer: 'adamw', options: AdamWOptions);
  constructor(params: ParameterDict, optimizer: 'sgd' | 'adamw', options: SgdOptions | AdamWOptions) {
    const isParameters = params instanceof Map && [...params.values()].every((value) => value instanceof Parameter);
    if (!isParameters || params.size === 0) {
      throw new ConfigError(
        `Trainer expected the parameters of a net, net.collectParams(), got ${params instanceof Map ? `a map of ${params.size} entries` : typeof params}.`,
        { argument: 'params' },
      );
    }
    checkChoice('Trainer', 'optimizer', optimizer, ['sgd', 'adamw']);
    this.#parameters = new Map(params);
    this.#optimizer = optimizer === 'adamw' ? new AdamW(options) : new Sgd(options);
    this.#learningRate = this.#options.learningRate;
    useLossScaler(this.#lossScaler);
  }

  get #options(): Optimizer['options'] {
    return this.#optimizer.options;
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

  /** How many steps were left out because gradients in float16 were NaN or infinite: their loss scale was too large. */
  get skippedSteps(): number {
    return this.#skippedSteps;
  }

  /**
   * Updates every trainable parameter with its gradient divided by `batchSize`. Throws ConfigError, before anything is
   * updated, where a gradient is missing, or is the one of an earlier step: with `ignoreStaleGrad` such parameters are
   * left as they are. In float16 the gradients' loss scale is divided out, and a step that overflowed is skipped.
   */
  step(batchSize: number, options: { ignoreStaleGrad?: boolean } = {}): void {
    checkNumber('Trainer.step()', 'batchSize', batchSize, { min: 0, exclusive: true });
    checkOptions('Trainer.step()', options, ['ignoreStaleGrad']);
    const ignoreStaleGrad = checkBoolean('Trainer.step()', 'ignoreStaleGrad', options.ignoreStaleGrad ?? false);
    const updates = this.#collectUpdates(ignoreStaleGrad);
    useLossScaler(this.#lossScaler);
    for (const { grad } of updates) this.#used.set(grad, grad.version);
    if (this.#isOverflow(updates)) {
      this.#skippedSteps += 1;
      return;
    }
    const lr = this.#options.lrScheduler?.at(this.#numUpdate + 1, this.#learningRate) ?? this.#learningRate;
    const parts = [...new Set(updates.map(({ grad }) => grad.lossScale))].map((scale) => ({
      updates: updates.filter(({ grad }) => grad.lossScale === scale),
      rescale: 1 / (batchSize * scale),
    }));
    const factor = this.#clipFactor(parts);
    for (const part of parts) this.#optimizer.apply(part.updates, lr, part.rescale * factor);
    this.#numUpdate += 1;
    flushDeferred();
  }

  /** What a step has to do. */
  #collectUpdates(ignoreStaleGrad: boolean): ParameterUpdate[] {
    const updates: ParameterUpdate[] = [];
    for (const [name, parameter] of this.#parameters) {
      if (!parameter.trainable) continue;
      const weight = weightOf(name, parameter);
      const grad = gradientOf(name, weight);
      const isStale = this.#used.get(grad) === grad.version;
      if (isStale && !ignoreStaleGrad) throw staleError(name);
      if (!isStale) updates.push({ name, parameter, weight, grad });
    }
    return updates;
  }

  /** Whether gradients that were scaled overflowed. Waits for them, and adapts the scale. */
  #isOverflow(updates: readonly ParameterUpdate[]): boolean {
    const scaled = updates.map(({ grad }) => grad).filter(({ lossScale }) => lossScale !== 1);
    if (scaled.length === 0) return false;
    const finite = tidy(() => allFinite(scaled).item()) === 1;
    this.#lossScaler.update(finite, Math.max(...scaled.map(({ lossScale }) => lossScale)));
    return !finite;
  }

  /** What clipping by the norm multiplies every gradient by. */
  #clipFactor(parts: readonly { updates: readonly ParameterUpdate[]; rescale: number }[]): number {
    const { clipNorm } = this.#options;
    if (clipNorm === Infinity || parts.length === 0) return 1;
    return clipFactor(
      parts.map(({ updates, rescale }) => ({ grads: updates.map(({ grad }) => grad), rescale })),
      clipNorm,
    );
  }

  /** Writes the optimiser's state, the number of updates and the loss scale to a safetensors file. Throws CheckpointError. */
  async saveStates(file: string): Promise<void> {
    const { scale, goodSteps } = this.#lossScaler;
    const { states, updateCounts } = this.#optimizer;
    await saveTrainerStates(file, this.#optimizer, {
      numUpdate: this.#numUpdate,
      tensors: states.tensors,
      updateCounts,
      lossScale: { scale, goodSteps },
    });
  }

  /** Reads what `saveStates` wrote. Throws CheckpointError where it does not fit, and then changes nothing. */
  async loadStates(file: string): Promise<void> {
    const states = await loadTrainerStates(file, this.#parameters, this.#optimizer);
    this.#optimizer.states.replace(states.tensors);
    if (states.updateCounts) this.#optimizer.updateCounts = states.updateCounts;
    this.#numUpdate = states.numUpdate;
    if (states.lossScale) this.#lossScaler.restore(states.lossScale.scale, states.lossScale.goodSteps);
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

function staleError(name: string): ConfigError {
  return new ConfigError(
    `Trainer.step() expected parameter '${name}' to have a new gradient, got the one that an earlier step used: call backward() before each step, or pass { ignoreStaleGrad: true } to leave such parameters as they are.`,
    { parameter: name },
  );
}
