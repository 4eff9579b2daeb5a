// The error of a file of weights that cannot be used.
import { CheckpointError } from '../errors.js';

const longest = 1000; // characters: what is quoted of a file may be as long as the file

/** Throws a CheckpointError about a file. */
export function refuse(
  file: string,
  message: string,
  details: Record<string, unknown> = {},
  options: ErrorOptions = {},
): never {
  const text = message.length > longest ? `${message.slice(0, longest)}...` : message;
  throw new CheckpointError(`${file}: ${text}`, { file, ...details }, options);
}
