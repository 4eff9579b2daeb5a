// What a person is told when a command fails: one line, with a remedy where there is one.
import { dirname } from 'node:path';
import { BackendUnavailableError, NumericError, OutOfMemoryError, ResiduaError } from '../errors.js';
import { trainCommandLine } from './command-line.js';
import { printable } from './printable.js';

/** One line for stderr; with `verbose` the stack and the causes follow. */
export function describeError(error: unknown, verbose: boolean): string {
  const line = `error: ${oneLine(messageOf(error))}`;
  return verbose && error instanceof Error ? `${line}\n${stackOf(error)}` : line;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint = hintFor(error);
  return hint ? `${error.message} ${hint}` : error.message;
}

function hintFor(error: Error): string | undefined {
  if (error instanceof OutOfMemoryError) return 'A smaller --batch-size or --resize needs less.';
  if (error instanceof BackendUnavailableError) return "'residua doctor' shows what is there.";
  if (error instanceof NumericError) return checkpointHint(error);
  if (error instanceof ResiduaError) return undefined;
  const isSystemError = 'syscall' in error;
  return isSystemError ? undefined : `(${error.name}; this should not happen: --verbose shows where it comes from)`;
}

function checkpointHint({ details }: NumericError): string | undefined {
  const { checkpoint, timesInARow } = details;
  if (typeof checkpoint !== 'string') return undefined;
  const skipping = trainCommandLine('--resume', dirname(dirname(checkpoint)), '--on-nan', 'skip');
  return `The checkpoint of before is ${checkpoint}.${timesInARow === 1 ? ` To go on from it without such steps: ${skipping}` : ''}`;
}

function oneLine(message: string): string {
  return printable(message.replace(/\s*\n\s*/g, ' ').trim());
}

function stackOf(error: Error): string {
  const stack = error.stack ?? String(error);
  return error.cause instanceof Error ? `${stack}\ncaused by: ${stackOf(error.cause)}` : stack;
}
