// The functional ops: `ops.conv2d`, `ops.relu`, ...

export { type AdamWHyper, adamWUpdate } from './adam-w.js';
export { type BatchNormOptions, batchNorm } from './batch-norm.js';
export { type BatchNormAddReluOptions, batchNormAddRelu } from './batch-norm-add-relu.js';
export { cast } from './cast.js';
export { type Conv2dOptions, conv2d } from './conv2d.js';
export { assign, copy, copyTo } from './copy.js';
export { dense } from './dense.js';
export { dropout } from './dropout.js';
export { add, div, equal, mul, type Operand, sub } from './elementwise.js';
export { gatherRows } from './gather-rows.js';
export { type SoftmaxCrossEntropyOptions, softmaxCrossEntropy } from './loss.js';
export { type AvgPool2dOptions, avgPool2d, globalAvgPool2d, type MaxPool2dOptions, maxPool2d } from './pool2d.js';
export { argmax, mean, type ReduceOptions, sum } from './reduce.js';
export { addRelu, relu } from './relu.js';
export { type ResizeOptions, resizeBilinear } from './resize.js';
export { type SgdHyper, sgdUpdate } from './sgd.js';
export { broadcastTo, flatten, reshape } from './shape.js';
export { logSoftmax, softmax } from './softmax.js';
