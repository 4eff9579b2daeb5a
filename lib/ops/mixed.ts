// Mixed precision, op by op: the one place that decides which op computes in which type (see precision.ts).
import { recordOp } from '../autograd/tape.js';
import { isDeferring } from '../graph/deferral.js';
import { checkPrecisionOn, currentPrecision, type Precision } from '../precision.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast, castGradient, isFloat } from './cast.js';

/**
 * What becomes of an input:
 * - half: the precision's 16-bit type.
 * - weight: likewise, from a copy that is kept until the weight is updated. A program casts for itself, where passes see it.
 * - full: float32, for sums of many terms and exponentials.
 * - alike: 16 bits where the inputs differ in type; two of float32 stay that (losses and metrics).
 * - kept: as it is. Biases and all that belongs to the channels of BatchNorm stay float32.
 */
type Role = 'half' | 'weight' | 'full' | 'alike' | 'kept';

// Ops that are missing take what they get. softmaxCrossEntropy computes in float32 from logits of any type.
const roles: Readonly<Record<string, readonly Role[]>> = {
  conv2d: ['half', 'weight', 'kept'],
  dense: ['half', 'weight', 'kept'],
  batchNorm: ['half', 'kept', 'kept', 'kept', 'kept'],
  batchNormAddRelu: ['half', 'half', 'kept', 'kept', 'kept', 'kept'],
  relu: ['half'],
  addRelu: ['half', 'half'],
  maxPool2d: ['half'],
  avgPool2d: ['half'],
  globalAvgPool2d: ['half'],
  add: ['alike', 'alike'],
  sub: ['alike', 'alike'],
  mul: ['alike', 'alike'],
  div: ['alike', 'alike'],
  sum: ['full'],
  mean: ['full'],
  softmax: ['full'],
  logSoftmax: ['full'],
};

/** Runs `fn` on the inputs of an op in the types that the precision wants. Copies made for it are freed after it. */
export function inPrecision<const Inputs extends readonly Tensor[]>(
  op: string,
  inputs: Inputs,
  fn: (...inputs: { [K in keyof Inputs]: Tensor }) => Tensor,
): Tensor {
  type Args = { [K in keyof Inputs]: Tensor };
  const precision = currentPrecision();
  const rolesOfOp = roles[op];
  if (precision === 'float32' || !rolesOfOp) return fn(...(inputs as unknown as Args));
  const differ = inputs.some(({ dtype }) => dtype !== inputs[0]?.dtype);
  return tidy(() => fn(...(inputs.map((x, i) => inRole(x, rolesOfOp[i] ?? 'kept', precision, differ)) as Args)));
}

function inRole(x: Tensor, role: Role, precision: Precision, differ: boolean): Tensor {
  if (!isFloat(x.dtype) || role === 'kept') return x;
  if (role === 'full') return x.dtype === 'float32' ? x : cast(x, 'float32');
  if (x.dtype === precision || (role === 'alike' && !differ)) return x;
  checkPrecisionOn(x.device, precision);
  return role === 'weight' && !x.node && !isDeferring() ? keptCast(x, precision) : cast(x, precision);
}

/** As `cast`, from the copy that belongs to the weight. */
function keptCast(weight: Tensor, precision: Precision): Tensor {
  const y = weight.keptAs(precision);
  const from = weight.dtype;
  recordOp('cast', [weight], y, [], (dy) => [castGradient(dy, from)]);
  return y;
}
