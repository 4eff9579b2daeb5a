// 2-D pooling: maximum, average, global average.
import { recordOp } from '../autograd/tape.js';
import type { OpAttributes } from '../native.js';
import { checkBoolean, checkOptions, checkPair, type Size2d } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors, imageSize } from './attributes.js';
import { inPrecision } from './mixed.js';
import { run, run1 } from './run.js';

export interface MaxPool2dOptions {
  /** Window, one number or [height, width]. Default 2. */
  poolSize?: Size2d;
  /** Step between windows. Default: poolSize. */
  strides?: Size2d;
  /** Padding around the image, never the maximum. Default 0. */
  padding?: Size2d;
}

export interface AvgPool2dOptions extends MaxPool2dOptions {
  /** Whether the padding's zeros count in the average. Default true. */
  countIncludePad?: boolean;
}

/** The largest value of each window. x [n, channels, height, width] -> y [n, channels, oh, ow], sizes rounded down. */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions = {}): Tensor {
  checkTensors('maxPool2d', { x });
  checkOptions('maxPool2d', options, ['poolSize', 'strides', 'padding']);
  const window = windowOf('maxPool2d', options);
  return inPrecision('maxPool2d', [x], (input) =>
    tidy(() => {
      const [y, argmax] = run('maxPool2d', window, [input]) as [Tensor, Tensor];
      const inputSize = input.shape.slice(2);
      recordOp('maxPool2d', [input], y, [argmax], (dy, [savedArgmax]) => [
        run1('maxPool2dBackward', { ...window, inputSize }, [dy, savedArgmax]),
      ]);
      return y;
    }),
  );
}

/** The mean of each window. x [n, channels, height, width] -> y [n, channels, oh, ow], sizes rounded down. */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions = {}): Tensor {
  checkTensors('avgPool2d', { x });
  checkOptions('avgPool2d', options, ['poolSize', 'strides', 'padding', 'countIncludePad']);
  const countIncludePad = checkBoolean('avgPool2d', 'countIncludePad', options.countIncludePad ?? true);
  const window = { ...windowOf('avgPool2d', options), countIncludePad };
  return average('avgPool2d', x, window);
}

/** The mean of each channel. x [n, channels, height, width] -> y [n, channels, 1, 1] */
export function globalAvgPool2d(x: Tensor): Tensor {
  checkTensors('globalAvgPool2d', { x });
  const size = imageSize('globalAvgPool2d', 'x', x);
  const window = { poolSize: size, strides: size, padding: [0, 0], countIncludePad: true };
  return average('globalAvgPool2d', x, window);
}

function average(name: string, x: Tensor, window: OpAttributes): Tensor {
  return inPrecision(name, [x], (input) => {
    const y = run1('avgPool2d', window, [input]);
    const inputSize = input.shape.slice(2);
    recordOp(name, [input], y, [], (dy) => [run1('avgPool2dBackward', { ...window, inputSize }, [dy])]);
    return y;
  });
}

function windowOf(op: string, { poolSize = 2, strides = poolSize, padding = 0 }: MaxPool2dOptions) {
  return {
    poolSize: checkPair(op, 'poolSize', poolSize, 1),
    strides: checkPair(op, 'strides', strides, 1),
    padding: checkPair(op, 'padding', padding, 0),
  };
}
