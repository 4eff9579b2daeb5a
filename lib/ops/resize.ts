// Bilinear resizing of images.
import { checkNumber, checkOptions, checkPair, type Size2d } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { run1 } from './run.js';

export interface ResizeOptions {
  /** Target size, one number or [height, width]. */
  size: Size2d;
  /** Multiplies every value, 1/255 for pixels. Default 1. */
  scale?: number;
}

/**
 * Resizes by bilinear interpolation with half-pixel centres and no antialiasing (align_corners = false elsewhere).
 *
 * x [n, channels, h, w], uint8 or float -> float32 [n, channels, height, width]. Has no gradient: the result has no history.
 */
export function resizeBilinear(x: Tensor, options: ResizeOptions): Tensor {
  checkTensors('resizeBilinear', { x });
  checkOptions('resizeBilinear', options, ['size', 'scale']);
  const size = checkPair('resizeBilinear', 'size', options.size, 1);
  const scale = checkNumber('resizeBilinear', 'scale', options.scale ?? 1);
  return run1('resizeBilinear', { size, scale }, [x]);
}
