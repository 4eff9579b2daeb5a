// Clipping of gradients by the norm of all of them together.
import { add, mul, sum } from '../ops/index.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Gradients that the update multiplies by the same number. */
export interface RescaledGradients {
  grads: readonly Tensor[];
  rescale: number;
}

/**
 * What all gradients are multiplied by so that their L2 norm, after rescaling, is at most `limit`: 1 where it is so already. The formula of
 * PyTorch's clip_grad_norm_, its 1e-6 included. Waits for one number from the device for each part.
 */
export function clipFactor(parts: readonly RescaledGradients[], limit: number): number {
  const squares = parts.map(({ grads, rescale }) => rescale ** 2 * tidy(() => sumOfSquares(grads).item()));
  const norm = Math.sqrt(squares.reduce((total, part) => total + part, 0));
  return norm + 1e-6 <= limit ? 1 : limit / (norm + 1e-6);
}

/** Scalar. Each gradient has any shape. */
function sumOfSquares(grads: readonly Tensor[]): Tensor {
  return grads.map((grad) => sum(mul(grad, grad))).reduce((total, part) => add(total, part));
}
