// 2-D convolution (cross-correlation) and its gradients.
import { needsGrad, recordOp } from '../autograd/tape.js';
import { checkInteger, checkOptions, checkPair, type Size2d } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { inPrecision } from './mixed.js';
import { sumFloat32 } from './reduce.js';
import { run, run1 } from './run.js';

export interface Conv2dOptions {
  /** Step between windows, one number or [height, width]. Default 1. */
  strides?: Size2d;
  /** Zeros around the image. Default 0. */
  padding?: Size2d;
  /** Distance between the taps of a kernel; 1 is dense. Default 1. */
  dilation?: Size2d;
  /** Channel groups that are convolved apart. Default 1. */
  groups?: number;
}

/**
 * Cross-correlates images with kernels.
 *
 * x [n, in, height, width], w [out, in / groups, kh, kw], b [out] -> y [n, out, oh, ow] with
 * oh = floor((height + 2 padding - dilation (kh - 1) - 1) / stride) + 1, likewise ow.
 *
 * Throws ShapeError, DTypeError, DeviceError, ConfigError (options).
 */
export function conv2d(x: Tensor, w: Tensor, b?: Tensor | null, options: Conv2dOptions = {}): Tensor {
  checkTensors('conv2d', b == null ? { x, w } : { x, w, b });
  checkOptions('conv2d', options, ['strides', 'padding', 'dilation', 'groups']);
  const { strides = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const window = {
    strides: checkPair('conv2d', 'strides', strides, 1),
    padding: checkPair('conv2d', 'padding', padding, 0),
    dilation: checkPair('conv2d', 'dilation', dilation, 1),
    groups: checkInteger('conv2d', 'groups', groups, 1),
  };
  return inPrecision('conv2d', b == null ? [x, w] : [x, w, b], (...inputs) => convolve(inputs, window));
}

interface Window extends Record<string, number | readonly number[]> {
  strides: readonly [number, number];
  padding: readonly [number, number];
  dilation: readonly [number, number];
  groups: number;
}

/** inputs: x, w, [b], of the types that the op takes. */
function convolve(inputs: readonly Tensor[], window: Window): Tensor {
  const [x, w, b] = inputs as [Tensor, Tensor, Tensor?];
  const y = run1('conv2d', { ...window, hasBias: b !== undefined }, inputs);
  const inputSize = x.shape.slice(2);
  const kernel = w.shape.slice(2);
  const saved = [needsGrad(w) ? x : null, needsGrad(x) ? w : null] as const;
  recordOp('conv2d', inputs, y, saved, (dy, [savedX, savedW], [needsX, needsW, needsB = false]) => {
    const dx = needsX ? run1('conv2dBackwardData', { ...window, inputSize }, [dy, savedW as Tensor]) : null;
    if (!needsW) return [dx, null, needsB ? sumFloat32(dy, [0, 2, 3]) : null];
    const [dw = null, db = null] = run('conv2dBackwardWeights', { ...window, kernel, hasBias: needsB }, [
      savedX as Tensor,
      dy,
    ]);
    return [dx, dw, db];
  });
  return y;
}
