// Config files of training runs: read, laid over each other and over the defaults, and built into what `fit` takes.
export { type BuildRunOptions, type BuiltRun, buildRun } from './build-run.js';
export { chooseDevice } from './choose-device.js';
export { choosePrecision } from './choose-precision.js';
export { readConfigFile } from './read-config.js';
export { resolveConfig } from './resolve.js';
export { configSchema } from './schema.js';
export type * from './train-config.js';
