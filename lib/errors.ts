// The error classes of the public API. Every error that residua throws on purpose is one of these.

/** Facts about an error, for programs: shapes, names, byte counts. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** Base class of all errors that residua throws. `code` is the class's name in a stable form. */
export class ResiduaError extends Error {
  readonly code: string = 'RESIDUA_ERROR';
  readonly details: ErrorDetails;
  constructor(message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.details = details;
  }
}

/** A shape, size or axis does not fit. */
export class ShapeError extends ResiduaError {
  override readonly code = 'SHAPE_ERROR';
}
/** A data type does not fit. */
export class DTypeError extends ResiduaError {
  override readonly code = 'DTYPE_ERROR';
}
/** Tensors of different devices met, or a device name is not known. */
export class DeviceError extends ResiduaError {
  override readonly code = 'DEVICE_ERROR';
}
/** A device was asked for that cannot be used here. Details, for a GPU: device, file, lookedFor, found, remedy. */
export class BackendUnavailableError extends ResiduaError {
  override readonly code = 'BACKEND_UNAVAILABLE';
}
/** A tensor was used after it was disposed. */
export class DisposedError extends ResiduaError {
  override readonly code = 'DISPOSED';
}
/** Data are not what they should be. Details: file, offset (byte), expected, found. */
export class DataError extends ResiduaError {
  override readonly code = 'DATA_ERROR';
}
/** A file of weights or training state cannot be used. */
export class CheckpointError extends ResiduaError {
  override readonly code = 'CHECKPOINT_ERROR';
}
/** Memory ran out. Details: bytesAsked, bytesFree. */
export class OutOfMemoryError extends ResiduaError {
  override readonly code = 'OUT_OF_MEMORY';
}
/** A native library failed. Details: op, shapes, library, status, source. */
export class NativeError extends ResiduaError {
  override readonly code = 'NATIVE_ERROR';
}
/** A value became NaN or infinite. Details: epoch, step, layer. */
export class NumericError extends ResiduaError {
  override readonly code = 'NUMERIC_ERROR';
}
/** An option or argument has a value that it cannot have. */
export class ConfigError extends ResiduaError {
  override readonly code = 'CONFIG_ERROR';
}
/** A gradient differs from its finite-difference estimate (`autograd.gradCheck`). */
export class GradientError extends ResiduaError {
  override readonly code = 'GRADIENT_ERROR';
}

const classes = {
  ShapeError,
  DTypeError,
  DeviceError,
  BackendUnavailableError,
  DisposedError,
  DataError,
  OutOfMemoryError,
  NativeError,
  ConfigError,
};

/** Makes the error that native code asks for: `kind` is a class name, numbers in details arrive as text. */
export function errorFromNative(kind: string, message: string, details: Record<string, string>): ResiduaError {
  const ErrorClass = classes[kind as keyof typeof classes] ?? NativeError;
  const parsed = Object.fromEntries(
    Object.entries(details).map(([key, text]) => [key, /^-?\d+$/.test(text) ? Number(text) : text]),
  );
  return new ErrorClass(message, parsed);
}
