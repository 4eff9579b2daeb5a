// One optimiser step of `fit`: forward and backward of its batches, the check of the loss, the update.
import { pause, record } from '../autograd/tape.js';
import { flushDeferred, gently } from '../graph/deferral.js';
import { SoftmaxCrossEntropyLoss } from '../loss/index.js';
import type { ParameterDict } from '../nn/parameter-dict.js';
import { add, assign, copy } from '../ops/index.js';
import { autocast } from '../precision.js';
import { randomState, setRandomState } from '../tensor/random.js';
import { tidy, untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Batch } from './batches.js';
import { firstBadLayer } from './first-bad-layer.js';
import type { FitRun } from './fit-run.js';
import { type BatchResult, correctCount, readBatch } from './metrics.js';
import { type MixedBatch, mixup } from './mixup.js';

/** What came of a batch. `badLayer`: where NaN or infinity came up first; null where the loss is finite. */
export interface PassResult extends BatchResult {
  badLayer: string | null;
}

/** Forward and backward of one batch, number `batch` of the epoch, from 0; adds its gradients to `sums`, where there are any. */
export async function passBatch(run: FitRun, [X, y]: Batch, batch: number, sums: GradientSums): Promise<PassResult> {
  const random = randomState();
  const { mixup: mixing } = run.options;
  const mixed = mixing ? mixup(X, y, mixing, run.epoch, batch) : null;
  try {
    const images = mixed?.images ?? X;
    const result = await computeGradients(run, images, y, mixed);
    if (Number.isFinite(result.lossSum)) {
      sums.add();
      return { ...result, badLayer: null };
    }
    setRandomState(random);
    return { ...result, badLayer: autocast(run.options.precision, () => firstBadLayer(run.net, images)) };
  } finally {
    for (const tensor of mixed ? Object.values(mixed as unknown as Record<string, Tensor>) : []) tensor.dispose();
  }
}

/** Parameters whose sizes the first forward tells get their values: statistics must exist before they can be kept. */
export function settleShapes({ net, options }: FitRun, X: Tensor): void {
  if ([...net.collectParams().values()].every(({ initialized }) => initialized)) return;
  autocast(options.precision, () => pause(() => tidy(() => void net.forward(X))));
  flushDeferred();
}

/** The loss is read before the update, so that a bad one changes no weight. */
async function computeGradients(run: FitRun, X: Tensor, y: Tensor, mixed: MixedBatch | null): Promise<BatchResult> {
  const lossOf = new SoftmaxCrossEntropyLoss({ labelSmoothing: run.options.labelSmoothing });
  const compute = (): [Tensor, Tensor] => {
    const [scores, losses] = record((): [Tensor, Tensor] => {
      const scores = run.net.forward(X); // [batch, classes]
      const own = lossOf.forward(scores, y); // [batch]
      return [scores, mixed ? mixLosses(own, lossOf.forward(scores, mixed.otherLabels), mixed.share) : own];
    });
    try {
      losses.backward();
      const read = tidy((): [Tensor, Tensor] => [losses.sum(), correctCount(scores, y)]);
      flushDeferred(); // the program ends here: the update waits for the loss
      return read;
    } finally {
      scores.dispose();
      losses.dispose();
    }
  };
  const [lossSum, correct] = await gently(() => autocast(run.options.precision, compute));
  return await readBatch(y.size, correct, lossSum);
}

/** share * own + (1 - share) * other, each [batch]. */
const mixLosses = (own: Tensor, other: Tensor, share: Tensor): Tensor =>
  own.mul(share).add(other.mul(share.mul(-1).add(1)));

/** Gradients of several batches, summed in the parameters' own. */
export class GradientSums {
  readonly #parameters: ParameterDict;
  readonly #isNeeded: boolean;
  #sums = new Map<string, Tensor>();

  /** `batches`: how many are summed; one needs no sums. */
  constructor(parameters: ParameterDict, batches: number) {
    this.#parameters = parameters;
    this.#isNeeded = batches > 1;
  }

  /** Adds the gradients of the last backward pass. */
  add(): void {
    if (!this.#isNeeded) return;
    for (const [name, parameter] of this.#parameters) {
      const grad = parameter.initialized ? parameter.data().grad : null;
      if (!grad) continue;
      const sum = this.#sums.get(name);
      if (sum) tidy(() => assign(sum, add(sum, grad)));
      else
        this.#sums.set(
          name,
          untracked(() => copy(grad)),
        );
    }
  }

  /** Puts the sums where the trainer looks for gradients. */
  apply(): void {
    for (const [name, sum] of this.#sums) {
      const { grad } = (this.#parameters.get(name) as { data(): Tensor }).data();
      if (grad) assign(grad, sum);
    }
  }

  dispose(): void {
    for (const sum of this.#sums.values()) sum.dispose();
    this.#sums.clear();
  }
}

/** What forward passes change, as it was before a step: running statistics (parameters that the trainer leaves alone), random state. */
export class BeforeStep {
  readonly #random = randomState();
  readonly #copies: [to: Tensor, kept: Tensor][];

  constructor(parameters: ParameterDict) {
    const fixed = [...parameters.values()].filter(({ trainable, initialized }) => !trainable && initialized);
    this.#copies = untracked(() => fixed.map((parameter) => [parameter.data(), copy(parameter.data())]));
  }

  restore(): void {
    for (const [to, kept] of this.#copies) assign(to, kept);
    setRandomState(this.#random);
  }

  dispose(): void {
    for (const [, kept] of this.#copies) kept.dispose();
  }
}
