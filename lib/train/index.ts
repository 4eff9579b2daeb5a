// Training and evaluation.
export type { Batch, Batches, Network } from './batches.js';
export type { FitState } from './checkpoint.js';
export type { ClassificationMetrics, ClassMetrics } from './confusion.js';
export { EarlyStopping, type EarlyStoppingOptions } from './early-stopping.js';
export { evaluateAccuracy } from './evaluate.js';
export { type EvaluateOptions, evaluateClasses } from './evaluate-classes.js';
export { fit } from './fit.js';
export type { FitBatch, FitEpoch, FitHandler, FitHistory, FitNumericProblem } from './fit-handlers.js';
export type { CheckpointOptions, FitOptions } from './fit-options.js';
export type { FitRun } from './fit-run.js';
export { type BatchEvent, type EpochRecord, epochLine, type History } from './history.js';
export { MetricsLog } from './metrics-log.js';
export type { MixupOptions } from './mixup.js';
export { TensorBoardLog, type TensorBoardOptions } from './tensorboard/tensorboard-log.js';
export { type Stepper, type TrainOptions, trainCh5 } from './train-ch5.js';
