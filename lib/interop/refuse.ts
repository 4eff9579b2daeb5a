// The error of a file of weights that cannot be used.
import { CheckpointError } from '../errors.js';

/** Throws a CheckpointError about a file. */
export function refuse(file: string, message: string, details: Record<string, unknown> = {}): never {
  throw new CheckpointError(`${file}: ${message}`, { file, ...details });
}
