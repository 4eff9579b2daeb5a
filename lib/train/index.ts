// Training and evaluation.
export type { Batch, Batches, Network } from './batches.js';
export { evaluateAccuracy } from './evaluate.js';
export { type BatchEvent, type EpochRecord, epochLine, type History } from './history.js';
export { type Stepper, type TrainOptions, trainCh5 } from './train-ch5.js';
