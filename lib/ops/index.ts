// The functional ops: `ops.conv2d`, `ops.relu`, ...
export { batchNorm, type BatchNormOptions } from './batch-norm.js';
export { cast } from './cast.js';
export { conv2d, type Conv2dOptions } from './conv2d.js';
export { assign, copy, copyTo } from './copy.js';
export { dense } from './dense.js';
export { dropout } from './dropout.js';
export { add, div, equal, mul, type Operand, sub } from './elementwise.js';
export { softmaxCrossEntropy, type SoftmaxCrossEntropyOptions } from './loss.js';
export { avgPool2d, type AvgPool2dOptions, globalAvgPool2d, maxPool2d, type MaxPool2dOptions } from './pool2d.js';
export { argmax, mean, type ReduceOptions, sum } from './reduce.js';
export { addRelu, relu } from './relu.js';
export { resizeBilinear, type ResizeOptions } from './resize.js';
export { type SgdHyper, sgdUpdate } from './sgd.js';
export { broadcastTo, flatten, reshape } from './shape.js';
export { logSoftmax, softmax } from './softmax.js';
