// Layers and what they are made of.
export { Activation, type ActivationName } from './activation.js';
export { BatchNorm, type BatchNormOptions } from './batch-norm.js';
export { Block } from './block.js';
export { Conv2D, type Conv2DOptions } from './conv2d.js';
export { Dense, type DenseOptions } from './dense.js';
export { Dropout } from './dropout.js';
export { Flatten } from './flatten.js';
export { Parameter } from './parameter.js';
export { ParameterDict } from './parameter-dict.js';
export type { LoadOptions } from './parameter-file.js';
export type { InitializeOptions, ParameterOptions } from './parameter-options.js';
export { AvgPool2D, type AvgPoolOptions, GlobalAvgPool2D, MaxPool2D, type PoolOptions } from './pooling.js';
export { Residual, type ResidualOptions } from './residual.js';
export { Sequential } from './sequential.js';
export type { SummaryOptions } from './summary.js';
