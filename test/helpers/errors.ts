// Asserts what a typed error promises: its class, its code, and a message that names the argument, what was expected and what came.
import { expect } from 'vitest';
import {
  BackendUnavailableError,
  CheckpointError,
  ConfigError,
  DataError,
  DeviceError,
  DisposedError,
  DTypeError,
  NativeError,
  OutOfMemoryError,
  type ResiduaError,
  ShapeError,
} from '../../lib/index.js';

export const errorClasses = {
  SHAPE_ERROR: ShapeError,
  DTYPE_ERROR: DTypeError,
  DEVICE_ERROR: DeviceError,
  BACKEND_UNAVAILABLE: BackendUnavailableError,
  DISPOSED: DisposedError,
  DATA_ERROR: DataError,
  CHECKPOINT_ERROR: CheckpointError,
  OUT_OF_MEMORY: OutOfMemoryError,
  NATIVE_ERROR: NativeError,
  CONFIG_ERROR: ConfigError,
} as const;

export type ErrorCode = keyof typeof errorClasses;

/** The error that `fn` throws; fails if there is none. */
export function errorOf(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return expect.fail('expected an error, got none');
}

/** As `errorOf`, for a promise. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('expected an error, got none'),
    (error: unknown) => error,
  );
}

/** Fails unless `error` is of the code's class, with that code, and its message holds every one of `parts`. */
export function expectResiduaError(error: unknown, code: ErrorCode, parts: readonly (string | RegExp)[]): void {
  expect(error).toBeInstanceOf(errorClasses[code]);
  const { message, code: found, name } = error as ResiduaError;
  expect(found).toBe(code);
  expect(name).toBe(errorClasses[code].name);
  for (const part of parts) {
    if (typeof part === 'string') expect(message).toContain(part);
    else expect(message).toMatch(part);
  }
}
