// Layers and what they are made of.
import './repeatable.js';

export { Activation, type ActivationName } from './activation.js';
export { BasicBlock } from './basic-block.js';
export { BatchNorm, type BatchNormOptions } from './batch-norm.js';
export { Block } from './block.js';
export { Bottleneck, type BottleneckStrideOptions } from './bottleneck.js';
export type { BottleneckOptions } from './bottleneck-options.js';
export { Conv2D, type Conv2DOptions } from './conv2d.js';
export { Dense, type DenseOptions } from './dense.js';
export { Dropout } from './dropout.js';
export { Flatten } from './flatten.js';
export { freezeStatistics } from './freeze-statistics.js';
export { PadShortcut, type PadShortcutOptions } from './pad-shortcut.js';
export { Parameter } from './parameter.js';
export { ParameterDict } from './parameter-dict.js';
export type { LoadOptions } from './parameter-file.js';
export type { InitializeOptions, ParameterOptions } from './parameter-options.js';
export { AvgPool2D, type AvgPoolOptions, GlobalAvgPool2D, MaxPool2D, type PoolOptions } from './pooling.js';
export { PreActBasicBlock } from './pre-act-basic-block.js';
export { PreActBottleneck } from './pre-act-bottleneck.js';
export { Residual, type ResidualOptions } from './residual.js';
export type { ResidualBlockOptions, ShortcutKind } from './residual-parts.js';
export { Sequential } from './sequential.js';
export type { SummaryOptions } from './summary.js';
