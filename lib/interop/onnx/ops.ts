// What each op of the op set is in ONNX: the table of converters.
import type { OpAttributes } from '../../native.js';
import { type Size, TimesBatch } from './batch-sizes.js';
import { type Attributes, FloatAttribute } from './graph.js';
import { dataTypes } from './schema.js';

/** One op, and what a converter may do. Names are of ONNX values. */
export interface OpContext {
  attributes: OpAttributes;
  /** Names of its inputs, their types and their sizes. */
  inputs: readonly string[];
  inputTypes: readonly string[];
  inputSizes: readonly (readonly Size[])[];
  /** Of its first output. */
  outputSizes: readonly Size[];
  /** Adds a node; returns the name of what it makes. */
  add(opType: string, inputs: readonly string[], attributes?: Attributes): string;
  /** The name of a constant vector of integers. */
  int64(values: readonly number[]): string;
  /** The name of a constant number of float32. */
  float(value: number): string;
  /** Throws a ConfigError: the op has no form in ONNX, for a reason. */
  refuse(reason: string): never;
}

/** Adds the nodes of one op; returns the name of its first output. */
export type Converter = (context: OpContext) => string;

/** By the name of the op. What is missing has no form in ONNX. */
export const converters: Readonly<Record<string, Converter>> = {
  conv2d: (op) => op.add('Conv', op.inputs, windowOf(op)),
  conv2dFused: (op) => withRelu(op, op.add('Conv', op.inputs, windowOf(op))),
  batchNorm: (op) => withRelu(op, batchNorm(op, op.inputs)),
  batchNormAddRelu: (op) => {
    const [x, residual, ...parameters] = op.inputs as [string, string, ...string[]];
    return op.add('Relu', [op.add('Add', [batchNorm(op, [x, ...parameters]), residual])]);
  },
  relu: (op) => op.add('Relu', op.inputs),
  addRelu: (op) => op.add('Relu', [op.add('Add', op.inputs)]),
  maxPool2d: (op) => op.add('MaxPool', op.inputs, poolOf(op)),
  avgPool2d: (op) =>
    isGlobal(op)
      ? op.add('GlobalAveragePool', op.inputs)
      : op.add('AveragePool', op.inputs, {
          ...poolOf(op),
          count_include_pad: op.attributes.countIncludePad === true ? 1 : 0,
        }),
  dense: (op) => op.add('Gemm', op.inputs, { transB: 1 }),
  add: (op) => op.add('Add', op.inputs),
  sub: (op) => op.add('Sub', op.inputs),
  mul: (op) => op.add('Mul', op.inputs),
  div: (op) => op.add('Div', op.inputs),
  equal: (op) => op.add('Cast', [op.add('Equal', op.inputs)], { to: dataTypes.uint8 }),
  sum: (op) => reduction(op, 'ReduceSum'),
  mean: (op) => reduction(op, 'ReduceMean'),
  argmax: (op) =>
    op.add('Cast', [op.add('ArgMax', op.inputs, { axis: numberOf(op, 'axis'), keepdims: 0 })], { to: dataTypes.int32 }),
  softmax: (op) => op.add('Softmax', op.inputs, { axis: numberOf(op, 'axis') }),
  logSoftmax: (op) => op.add('LogSoftmax', op.inputs, { axis: numberOf(op, 'axis') }),
  reshape,
  broadcastTo: (op) => op.add('Expand', [op.inputs[0] as string, shapeAtRunTime(op, op.outputSizes)]),
  cast: (op) => op.add('Cast', op.inputs, { to: dataTypes[op.attributes.dtype as keyof typeof dataTypes] }),
  copy: (op) => op.add('Identity', op.inputs),
  resizeBilinear,
};

const listOf = ({ attributes }: OpContext, name: string): readonly number[] => attributes[name] as readonly number[];
const numberOf = ({ attributes }: OpContext, name: string): number => attributes[name] as number;

/** The same padding at both ends: [height, width] -> [top, left, bottom, right]. */
const padsOf = (op: OpContext): readonly number[] => [...listOf(op, 'padding'), ...listOf(op, 'padding')];

const windowOf = (op: OpContext): Attributes => ({
  strides: listOf(op, 'strides'),
  pads: padsOf(op),
  dilations: listOf(op, 'dilation'),
  group: numberOf(op, 'groups'),
});

const poolOf = (op: OpContext): Attributes => ({
  kernel_shape: listOf(op, 'poolSize'),
  strides: listOf(op, 'strides'),
  pads: padsOf(op),
});

/** Whether the one window is the whole image. */
function isGlobal(op: OpContext): boolean {
  const [height, width] = listOf(op, 'poolSize');
  const [, , imageHeight, imageWidth] = op.inputSizes[0] as readonly Size[];
  return height === imageHeight && width === imageWidth && listOf(op, 'padding').every((pad) => pad === 0);
}

const withRelu = (op: OpContext, y: string): string => (op.attributes.relu === true ? op.add('Relu', [y]) : y);

/** inputs: x, gamma, beta, running mean, running variance, in ONNX's order too. */
function batchNorm(op: OpContext, inputs: readonly string[]): string {
  if (op.attributes.training !== false) op.refuse("it normalises by the batch's statistics, which only training does");
  return op.add('BatchNormalization', inputs, { epsilon: new FloatAttribute(numberOf(op, 'epsilon')) });
}

function reduction(op: OpContext, opType: string): string {
  const axes = listOf(op, 'axes');
  if (axes.length === 0) return op.add('Identity', op.inputs); // of a scalar
  return op.add(opType, [op.inputs[0] as string, op.int64(axes)], {
    keepdims: op.attributes.keepDims === true ? 1 : 0,
  });
}

/** One size that follows the batch is left for the runtime to work out. */
function reshape(op: OpContext): string {
  const sizes = op.outputSizes;
  const open = sizes.filter((size) => size instanceof TimesBatch).length;
  const shape =
    open <= 1 ? op.int64(sizes.map((size) => (size instanceof TimesBatch ? -1 : size))) : shapeAtRunTime(op, sizes);
  return op.add('Reshape', [op.inputs[0] as string, shape]);
}

/** The name of a shape. Sizes that follow the batch are computed from that of the net's input. */
function shapeAtRunTime(op: OpContext, sizes: readonly Size[]): string {
  if (!sizes.some((size) => size instanceof TimesBatch)) return op.int64(sizes as readonly number[]);
  const batch = op.add('Shape', [inputName], { start: 0, end: 1 });
  const parts = sizes.map((size) => {
    if (!(size instanceof TimesBatch)) return op.int64([size]);
    return size.factor === 1 ? batch : op.add('Mul', [batch, op.int64([size.factor])]);
  });
  return op.add('Concat', parts, { axis: 0 });
}

/** The name of the net's input. */
export const inputName = 'input';

function resizeBilinear(op: OpContext): string {
  const floats =
    op.inputTypes[0] === 'float32' ? (op.inputs[0] as string) : op.add('Cast', op.inputs, { to: dataTypes.float32 });
  const resized = op.add('Resize', [floats, '', '', op.int64(listOf(op, 'size'))], {
    axes: [2, 3],
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
  const scale = numberOf(op, 'scale');
  return scale === 1 ? resized : op.add('Mul', [resized, op.float(scale)]);
}
