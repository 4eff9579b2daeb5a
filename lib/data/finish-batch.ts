// The last steps of a batch, on the device: bytes are scaled, resized and normalised there.
import type { Device } from '../device.js';
import { div, resizeBilinear, sub } from '../ops/index.js';
import { fromHost } from '../tensor/create.js';
import { tidy, untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Size, TransformOf } from './transforms/transform.js';

export class BatchFinisher {
  readonly #size: Size;
  readonly #device: Device;
  readonly #normalisation: TransformOf<'normalize'> | undefined;
  #constants: { mean: Tensor; std: Tensor } | undefined;

  constructor(size: Size, device: Device, normalisation?: TransformOf<'normalize'>) {
    this.#size = size;
    this.#device = device;
    this.#normalisation = normalisation;
  }

  /** bytes uint8 [batch, channels, h, w] -> float32 [batch, channels, height, width], divided by 255 and normalised */
  finish(bytes: Tensor): Tensor {
    return tidy(() => {
      const scaled = resizeBilinear(bytes, { size: this.#size, scale: 1 / 255 });
      if (!this.#normalisation) return scaled;
      const { mean, std } = this.#constantsOf(this.#normalisation);
      return div(sub(scaled, mean), std);
    });
  }

  /** Both [1, channels, 1, 1]; kept for all batches. */
  #constantsOf({ mean, std }: TransformOf<'normalize'>): { mean: Tensor; std: Tensor } {
    const ofChannels = (values: readonly number[]): Tensor =>
      fromHost(Float32Array.from(values), [1, values.length, 1, 1], 'float32', this.#device);
    this.#constants ??= untracked(() => ({ mean: ofChannels(mean), std: ofChannels(std) }));
    return this.#constants;
  }
}
