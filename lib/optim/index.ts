// Optimisation: the trainer and its learning-rate schedules.
export type { SgdOptions } from './sgd-options.js';
export { Trainer } from './trainer.js';
