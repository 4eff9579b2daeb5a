// The public API: everything that users import from 'residua'.
export { autograd, type GradCheckOptions } from './autograd/index.js';
export * as data from './data/index.js';
export { cpu, Device, type DeviceInfo, devices, gpu, setDevice, setThreads, setTuning, tryGpu } from './device.js';
export {
  BackendUnavailableError,
  CheckpointError,
  ConfigError,
  DataError,
  DeviceError,
  DisposedError,
  DTypeError,
  type ErrorDetails,
  GradientError,
  NativeError,
  NumericError,
  OutOfMemoryError,
  ResiduaError,
  ShapeError,
} from './errors.js';
export { type CaptureOptions, capture } from './graph/capture.js';
export * as init from './init/index.js';
export * as interop from './interop/index.js';
export * as loss from './loss/index.js';
export { residualStage } from './models/chapter.js';
export * as models from './models/index.js';
export type { DType, OpTime, TypedArray } from './native.js';
export * as nn from './nn/index.js';
export * as ops from './ops/index.js';
export { type AdamWOptions, type OptimizerOptions, type SgdOptions, Trainer } from './optim/index.js';
export * as lrScheduler from './optim/lr-scheduler.js';
export { autocast, type Precision, setPrecision } from './precision.js';
export { profile } from './profile.js';
export { type ImageInput, type NetServer, type ServeOptions, serve } from './serve/index.js';
export { arange, full, normal, ones, type TensorOptions, tensor, uniform, zeros } from './tensor/create.js';
export type { NestedArray } from './tensor/format.js';
export { type MemoryInfo, memory } from './tensor/memory.js';
export { seed } from './tensor/random.js';
export { tidy } from './tensor/scope.js';
export { Tensor } from './tensor/tensor.js';
export {
  type Batch,
  type Batches,
  type CheckpointOptions,
  type ClassificationMetrics,
  EarlyStopping,
  evaluateAccuracy,
  evaluateClasses,
  type FitBatch,
  type FitEpoch,
  type FitHandler,
  type FitHistory,
  type FitNumericProblem,
  type FitOptions,
  type FitRun,
  fit,
  type History,
  MetricsLog,
  TensorBoardLog,
  type TensorBoardOptions,
  type TrainOptions,
  trainCh5,
} from './train/index.js';
