// Ops by name, on lists of inputs: how the programs of test/fixtures call them.
import { ops, type Tensor } from '../../lib/index.js';

type OpInputs = [Tensor, Tensor, Tensor, Tensor, Tensor];

const calls: Record<string, (inputs: OpInputs, options: never) => Tensor> = {
  conv2d: ([x, w, b], options: ops.Conv2dOptions) => ops.conv2d(x, w, b, options),
  batchNorm: (inputs, options: ops.BatchNormOptions) => ops.batchNorm(...inputs, options),
  relu: ([x]) => ops.relu(x),
  addRelu: ([a, b]) => ops.addRelu(a, b),
  add: ([a, b]) => ops.add(a, b),
  sub: ([a, b]) => ops.sub(a, b),
  mul: ([a, b]) => ops.mul(a, b),
  div: ([a, b]) => ops.div(a, b),
  maxPool2d: ([x], options: ops.MaxPool2dOptions) => ops.maxPool2d(x, options),
  avgPool2d: ([x], options: ops.AvgPool2dOptions) => ops.avgPool2d(x, options),
  globalAvgPool2d: ([x]) => ops.globalAvgPool2d(x),
  dense: ([x, w, b]) => ops.dense(x, w, b),
  reshape: ([x], { shape }: { shape: number[] }) => ops.reshape(x, shape),
  sum: ([x], { axis, ...options }: { axis: number[] }) => ops.sum(x, axis, options),
  mean: ([x], { axis, ...options }: { axis: number[] }) => ops.mean(x, axis, options),
  softmax: ([x], { axis }: { axis: number }) => ops.softmax(x, axis),
  logSoftmax: ([x], { axis }: { axis: number }) => ops.logSoftmax(x, axis),
  softmaxCrossEntropy: ([logits, labels]) => ops.softmaxCrossEntropy(logits, labels),
};

/** Runs the op `name`; missing inputs are those that an op can do without. */
export function callOp(
  name: string,
  inputs: readonly (Tensor | undefined)[],
  options: Record<string, unknown>,
): Tensor {
  const call = calls[name];
  if (!call) throw new Error(`The test does not know the op '${name}'.`);
  return call(inputs as OpInputs, options as never);
}
