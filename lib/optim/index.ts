// Optimisation: the trainer and its learning-rate schedules.
export type { AdamWOptions, OptimizerOptions, SgdOptions } from './optimizer-options.js';
export { Trainer } from './trainer.js';
