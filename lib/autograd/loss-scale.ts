// Loss scaling for float16, whose smallest numbers are too large for many gradients: the loss is multiplied by a scale
// before the backward pass, and the trainer divides the gradients by it. Micikevicius et al. 2018, "Mixed precision training", section 3.2.
import { NumericError } from '../errors.js';

const firstScale = 2 ** 10;
const stepsToDouble = 2000;

/** The scale of one trainer: halved where gradients overflow, doubled after 2000 steps without that. */
export class LossScaler {
  #scale = firstScale;
  #goodSteps = 0;

  get scale(): number {
    return this.#scale;
  }

  /** Steps since the scale changed. */
  get goodSteps(): number {
    return this.#goodSteps;
  }

  /** Takes note of a step with gradients that were finite, or of one that overflowed. Throws NumericError where no scale helps. */
  update(finite: boolean, usedScale: number): void {
    if (!finite) {
      if (usedScale <= 1)
        throw new NumericError(
          'Gradients in float16 are NaN or infinite even with a loss scale of 1; a smaller learning rate or bfloat16 may help.',
          { scale: usedScale },
        );
      this.restore(usedScale / 2, 0);
    } else if (this.#goodSteps + 1 < stepsToDouble) this.#goodSteps += 1;
    else this.restore(this.#scale * 2, 0);
  }

  /** Goes back to a state that `scale` and `goodSteps` told. */
  restore(scale: number, goodSteps: number): void {
    this.#scale = scale;
    this.#goodSteps = goodSteps;
  }
}

const unscaled = new LossScaler();
unscaled.restore(1, 0);
let current = unscaled;

/** The scaler that `backward()` asks: that of the trainer that was made or stepped last. Without a trainer the scale is 1. */
export const lossScaler = (): LossScaler => current;

export function useLossScaler(scaler: LossScaler): void {
  current = scaler;
}
