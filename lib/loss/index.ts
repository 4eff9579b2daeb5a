// Losses.
export { SoftmaxCrossEntropyLoss, type SoftmaxCrossEntropyOptions } from './softmax-cross-entropy.js';
