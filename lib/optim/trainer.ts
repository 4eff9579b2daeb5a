// The trainer: updates parameters with their gradients, once a step.
import { LossScaler, useLossScaler } from '../autograd/loss-scale.js';
import { ConfigError } from '../errors.js';
import { flushDeferred } from '../graph/deferral.js';
import { Parameter } from '../nn/parameter.js';
import type { ParameterDict } from '../nn/parameter-dict.js';
import { allFinite, sgdUpdate } from '../ops/sgd.js';
import { checkBoolean, checkChoice, checkNumber, checkOptions } from '../options.js';
import { zeros } from '../tensor/create.js';
import { tidy, untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { clipFactor } from './clip-norm.js';
import { type CheckedSgdOptions, checkSgdOptions, type SgdOptions } from './sgd-options.js';
import { loadTrainerStates, saveTrainerStates } from './trainer-file.js';

/** One parameter's part of a step. */
interface Update {
  name: string;
  parameter: Parameter;
  weight: Tensor;
  grad: Tensor;
}

/**
 * Stochastic gradient descent on the trainable parameters of a net, as Gluon's Trainer does it:
 *
 *     g = clip(c * gradient / batchSize) + wd * wdMult * weight
 *     m = momentum * m - lr * lrMult * g;   weight = weight + m
 *
 * where c is 1, or what `clipNorm` makes of the norm of all gradients. With `nesterov`: weight = weight + momentum * m - lr * lrMult * g. One op updates all parameters.
 */
export class Trainer {
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #options: CheckedSgdOptions;
  #learningRate: number;
  #numUpdate = 0;
  #momenta = new Map<string, Tensor>(); // by parameter name, of the parameter's shape
  readonly #lossScaler = new LossScaler();
  #skippedSteps = 0;
  readonly #used = new WeakMap<Tensor, number>(); // gradients of earlier steps, with the version they had

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
    useLossScaler(this.#lossScaler);
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
    for (const part of parts) this.#apply(part.updates, lr, part.rescale * factor);
    this.#numUpdate += 1;
    flushDeferred();
  }

  /** What a step has to do. */
  #collectUpdates(ignoreStaleGrad: boolean): Update[] {
    const updates: Update[] = [];
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
  #isOverflow(updates: readonly Update[]): boolean {
    const scaled = updates.map(({ grad }) => grad).filter(({ lossScale }) => lossScale !== 1);
    if (scaled.length === 0) return false;
    const finite = tidy(() => allFinite(scaled).item()) === 1;
    this.#lossScaler.update(finite, Math.max(...scaled.map(({ lossScale }) => lossScale)));
    return !finite;
  }

  /** What clipping by the norm multiplies every gradient by. */
  #clipFactor(parts: readonly { updates: readonly Update[]; rescale: number }[]): number {
    const { clipNorm } = this.#options;
    if (clipNorm === Infinity || parts.length === 0) return 1;
    return clipFactor(
      parts.map(({ updates, rescale }) => ({ grads: updates.map(({ grad }) => grad), rescale })),
      clipNorm,
    );
  }

  #apply(updates: readonly Update[], lr: number, rescale: number): void {
    const { momentum, clip, wd, nesterov } = this.#options;
    const hyper = {
      rescale,
      momentum,
      clip,
      lrs: updates.map(({ parameter }) => lr * parameter.lrMult),
      wds: updates.map(({ parameter }) => wd * parameter.wdMult),
    };
    const momenta = momentum === 0 ? null : updates.map(({ name, weight }) => this.#momentumOf(name, weight));
    const [weights, grads] = [updates.map(({ weight }) => weight), updates.map(({ grad }) => grad)];
    sgdUpdate(weights, grads, momenta, hyper, { nesterov });
  }

  /** Writes momentum, the number of updates and the loss scale to a safetensors file. Throws CheckpointError. */
  async saveStates(file: string): Promise<void> {
    const { scale, goodSteps } = this.#lossScaler;
    await saveTrainerStates(file, {
      numUpdate: this.#numUpdate,
      momenta: this.#momenta,
      lossScale: { scale, goodSteps },
    });
  }

  /** Reads what `saveStates` wrote. Throws CheckpointError where it does not fit, and then changes nothing. */
  async loadStates(file: string): Promise<void> {
    const states = await loadTrainerStates(file, this.#parameters, this.#options.momentum > 0);
    for (const tensor of this.#momenta.values()) tensor.dispose();
    this.#momenta = states.momenta;
    this.#numUpdate = states.numUpdate;
    if (states.lossScale) this.#lossScaler.restore(states.lossScale.scale, states.lossScale.goodSteps);
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

function staleError(name: string): ConfigError {
  return new ConfigError(
    `Trainer.step() expected parameter '${name}' to have a new gradient, got the one that an earlier step used: call backward() before each step, or pass { ignoreStaleGrad: true } to leave such parameters as they are.`,
    { parameter: name },
  );
}
