// Batch normalisation with running statistics.
import { isTraining } from '../autograd/tape.js';
import { ShapeError } from '../errors.js';
import { type Initializer, One, Zero } from '../init/index.js';
import { batchNorm, batchNormAddRelu } from '../ops/index.js';
import { checkBoolean, checkInteger, checkNumber, checkOptions } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { Block } from './block.js';
import { inLayer } from './forward.js';
import { Parameter } from './parameter.js';

export interface BatchNormOptions {
  /** running = momentum * running + (1 - momentum) * batch. Default 0.9. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** Whether beta is trained; else it stays 0. Default true. */
  center?: boolean;
  /** Whether gamma is trained; else it stays 1. Default true. */
  scale?: boolean;
  /** First values of gamma. Default: ones. */
  gammaInitializer?: Initializer;
  /** Whether the running statistics normalise in training too, and stay as they are. Default false. */
  useGlobalStats?: boolean;
  /** 0 (default): inferred at the first forward. */
  inChannels?: number;
}

const optionNames = ['momentum', 'epsilon', 'center', 'scale', 'gammaInitializer', 'useGlobalStats', 'inChannels'];

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, per channel. x, y: [batch, channels, height, width].
 * In training mode (`autograd.record`) the batch's own statistics, biased variance; they also move the running ones,
 * with the unbiased variance. Otherwise, and always with `useGlobalStats`, the running ones, which are constants to the
 * gradient: what a net that is fine-tuned on small batches needs. Ioffe and Szegedy, "Batch normalization", 2015, algorithm 1.
 */
export class BatchNorm extends Block {
  readonly momentum: number;
  readonly epsilon: number;
  /** [channels] each */
  readonly gamma: Parameter;
  readonly beta: Parameter;
  readonly runningMean: Parameter;
  readonly runningVar: Parameter;
  #useGlobalStats: boolean;

  constructor(options: BatchNormOptions = {}) {
    super();
    checkOptions('BatchNorm', options, optionNames);
    const {
      momentum = 0.9,
      epsilon = 1e-5,
      center = true,
      scale = true,
      gammaInitializer = new One(),
      useGlobalStats = false,
      inChannels = 0,
    } = options;
    this.momentum = checkNumber('BatchNorm', 'momentum', momentum, { min: 0, max: 1 });
    this.epsilon = checkNumber('BatchNorm', 'epsilon', epsilon, { min: 0, exclusive: true });
    this.#useGlobalStats = checkBoolean('BatchNorm', 'useGlobalStats', useGlobalStats);
    const shape = [checkInteger('BatchNorm', 'inChannels', inChannels, 0)];
    const make = (name: string, init: Initializer, trainable: boolean) =>
      new Parameter(`${this.name}.${name}`, { shape, init, trainable });
    this.gamma = make('gamma', gammaInitializer, checkBoolean('BatchNorm', 'scale', scale));
    this.beta = make('beta', new Zero(), checkBoolean('BatchNorm', 'center', center));
    this.runningMean = make('runningMean', new Zero(), false);
    this.runningVar = make('runningVar', new One(), false);
  }

  /** Whether the running statistics normalise in training too, and stay as they are. May be set between steps. */
  get useGlobalStats(): boolean {
    return this.#useGlobalStats;
  }
  set useGlobalStats(value: boolean) {
    this.#useGlobalStats = checkBoolean('BatchNorm', 'useGlobalStats', value);
  }

  protected override describe(): string {
    return `momentum ${this.momentum}, epsilon ${this.epsilon}, inChannels ${this.gamma.shape[0] || 'inferred'}`;
  }

  override forwardState(): readonly unknown[] | null {
    const state = super.forwardState();
    return state && [...state, this.#useGlobalStats];
  }

  override forward(x: Tensor): Tensor {
    return this.#normalize(x, false);
  }

  /** max(forward(x), 0) as one op. */
  forwardRelu(x: Tensor): Tensor {
    return inLayer(this, () => this.#normalize(x, true));
  }

  /** max(forward(x) + residual, 0) as one op. */
  forwardAddRelu(x: Tensor, residual: Tensor): Tensor {
    return inLayer(this, () => batchNormAddRelu(x, residual, ...this.#parametersFor(x), this.#options()));
  }

  #normalize(x: Tensor, relu: boolean): Tensor {
    return batchNorm(x, ...this.#parametersFor(x), { ...this.#options(), relu });
  }

  #options() {
    return { momentum: this.momentum, epsilon: this.epsilon, training: isTraining() && !this.#useGlobalStats };
  }

  /** gamma, beta, runningMean, runningVar, whose size is inferred from x where it is not known yet. */
  #parametersFor(x: Tensor): [Tensor, Tensor, Tensor, Tensor] {
    const parameters = [this.gamma, this.beta, this.runningMean, this.runningVar] as const;
    if (x.ndim < 2)
      throw new ShapeError(
        `BatchNorm expected an input [batch, channels, height, width], got shape [${x.shape.join(', ')}].`,
        { found: x.shape },
      );
    for (const parameter of parameters) parameter.inferShape([x.shape[1] as number]);
    return parameters.map((parameter) => parameter.data()) as [Tensor, Tensor, Tensor, Tensor];
  }
}
