// The public face of autograd.
import { gradCheck } from './grad-check.js';
import { isRecording, isTraining, pause, record } from './tape.js';

export type { GradCheckOptions } from './grad-check.js';

/** Recording of ops, and gradients through what was recorded. */
export const autograd = { record, pause, isRecording, isTraining, gradCheck };
