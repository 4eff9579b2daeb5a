// Checks gradients against finite differences.
import { ConfigError, DTypeError, GradientError } from '../errors.js';
import { native } from '../native.js';
import { checkTensorList, kindOf } from '../ops/attributes.js';
import { copy } from '../ops/copy.js';
import { checkBoolean, checkNumber, checkOptions } from '../options.js';
import { currentPrecision } from '../precision.js';
import { fromHost } from '../tensor/create.js';
import { randomState, setRandomState } from '../tensor/random.js';
import { tidy } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { pause, record } from './tape.js';

export interface GradCheckOptions {
  /** Half the distance of the two points of a difference. Default 1e-2, as float32 wants it. */
  eps?: number;
  /** Relative tolerance. Default 1e-2. */
  rtol?: number;
  /** Absolute tolerance. Default 1e-3. */
  atol?: number;
  /** Whether layers behave as in training. Default true. */
  training?: boolean;
}

const maxChecked = 64; // elements of an input; of larger inputs a fixed random sample
const checkSeed = 20150210; // of the weighting and the sample: the same in every run

/**
 * Compares the gradients of fn(...inputs) with central differences: every element of small inputs, 64 elements of larger ones.
 *
 * The outputs are weighted by fixed random numbers, so that one scalar is compared. `fn` must be smooth within `eps` of the inputs;
 * random choices in it (dropout) are the same at each call. Integer inputs are held fixed. The inputs are not changed.
 *
 * Throws GradientError (input, index, expected: the difference, found: the gradient) at the first element with
 * |found - expected| > atol + rtol * max(|found|, |expected|).
 */
export function gradCheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
): void {
  checkOptions('gradCheck', options, ['eps', 'rtol', 'atol', 'training']);
  const eps = checkNumber('gradCheck', 'eps', options.eps ?? 1e-2, { min: 0, exclusive: true });
  const rtol = checkNumber('gradCheck', 'rtol', options.rtol ?? 1e-2, { min: 0 });
  const atol = checkNumber('gradCheck', 'atol', options.atol ?? 1e-3, { min: 0 });
  const training = checkBoolean('gradCheck', 'training', options.training ?? true);
  checkTensorList('gradCheck', 'inputs', inputs);
  const half = inputs.findIndex(({ dtype }) => dtype === 'bfloat16' || dtype === 'float16');
  if (half >= 0)
    throw new DTypeError(
      `gradCheck expected inputs of float32 or integers, got inputs[${half}] of ${inputs[half]?.dtype}: differences drown in its rounding.`,
    );

  if (currentPrecision() !== 'float32')
    throw new ConfigError(
      `gradCheck expected precision float32, got ${currentPrecision()}: differences drown in its rounding. Use autocast('float32', ...).`,
    );

  const random = randomState();
  const call = (args: readonly Tensor[]): Tensor => {
    setRandomState(random);
    return checkOutput(fn(...args));
  };
  const { gradients, weighting } = analyticGradients(call, inputs, training);
  /** The weighted sum of the outputs, with input `i` replaced by `values`. */
  const valueAt = (i: number, values: Float32Array): number =>
    tidy(() => {
      const args = inputs.map((input, j) =>
        j === i ? fromHost(values, input.shape, 'float32', input.device) : input.detach(),
      );
      return pause(() => dot(call(args).dataSync(), weighting), { training });
    });

  for (const [i, gradient] of gradients.entries()) {
    if (!gradient) continue;
    const values = inputs[i]?.dataSync() as Float32Array;
    for (const index of sample(values.length)) {
      const expected = differenceAt(index, eps, values, (moved) => valueAt(i, moved));
      const found = gradient[index] as number;
      if (Math.abs(found - expected) <= atol + rtol * Math.max(Math.abs(found), Math.abs(expected))) continue;
      throw new GradientError(
        `gradCheck: the gradient of inputs[${i}] at flat index ${index} expected ${expected} by finite differences, got ${found}.`,
        { input: i, index, expected, found },
      );
    }
  }
}

/** The gradient of each input by backward(): zeros where none came, null for integers. And the weights of the outputs. */
function analyticGradients(call: (args: readonly Tensor[]) => Tensor, inputs: readonly Tensor[], training: boolean) {
  return tidy(() => {
    const leaves = inputs.map((input) => {
      const leaf = pause(() => copy(input));
      leaf.requiresGrad = input.dtype === 'float32';
      return leaf;
    });
    const output = record(() => call(leaves), { training });
    const weighting = native().randomUniform(output.size, checkSeed, 0, -1, 1);
    output.backward(fromHost(weighting, output.shape, 'float32', output.device));
    const gradients = leaves.map((leaf) =>
      leaf.requiresGrad ? (leaf.grad?.dataSync() ?? new Float32Array(leaf.size)) : null,
    );
    return { gradients, weighting };
  });
}

/** (f(x + eps) - f(x - eps)) / 2 eps in the element at `index`, with the distance that float32 left of 2 eps. */
function differenceAt(index: number, eps: number, values: Float32Array, f: (moved: Float32Array) => number): number {
  const above = values.slice();
  const below = values.slice();
  above[index] = (values[index] as number) + eps;
  below[index] = (values[index] as number) - eps;
  return (f(above) - f(below)) / ((above[index] as number) - (below[index] as number));
}

function checkOutput(output: Tensor): Tensor {
  if (!(output instanceof Tensor))
    throw new ConfigError(`gradCheck expected fn to return a Tensor, got ${kindOf(output)}.`);
  if (output.dtype !== 'float32') throw new DTypeError(`gradCheck expected fn to return float32, got ${output.dtype}.`);
  return output;
}

function dot(a: ArrayLike<number>, b: Float32Array): number {
  return b.reduce((total, weight, i) => total + weight * (a[i] as number), 0);
}

function sample(size: number): Iterable<number> {
  if (size <= maxChecked) return Array(size).keys();
  return native().randomPermutation(size, checkSeed, 1).subarray(0, maxChecked);
}
