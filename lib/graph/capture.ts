// Runs a function of tensors as one program: its ops are recorded, optimised as a whole and handed over in one call.
import { backendOf, currentDevice, type Device } from '../device.js';
import { ConfigError } from '../errors.js';
import { checkBoolean, checkChoice, checkOptions } from '../options.js';
import { autocast, type Precision, precisions } from '../precision.js';
import { fromHost } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { beginDeferral, flushDeferred, gently, isDeferring } from './deferral.js';
import { withoutTuning } from './tuning.js';

/** Options of `capture`. */
export interface CaptureOptions {
  /** Whether reading a value inside the function, which splits the program there, is an error. Default false. */
  strict?: boolean;
  /**
   * Whether convolutions that are new to this process choose their algorithm by timing the candidates once (CPU; some tenths of a
   * second each, kept in a file). Without it they compute directly, the same bits in every process. Default true.
   */
  tune?: boolean;
  /** Precision in which `fn` runs, as `autocast` would have it. Default: the one that is set. */
  precision?: Precision;
}

/**
 * A function that does what `fn` does, with all its ops (`backward()` and `trainer.step()` included) run as one program:
 * planned once for each set of shapes, its memory in one arena, fused where that pays. `fn` itself runs at each call, to say
 * which ops those are; nothing is computed meanwhile, and the event loop stays free while the program is planned and runs. The promise
 * gives the result when the program is done; its tensors belong to the caller, what else `fn` creates is freed.
 * Results are those of plain code. Throws ConfigError where `fn` is no function, is async, or reads a value though
 * `strict` forbids it; errors of ops as plain code does.
 */
export function capture<A extends Tensor[], T>(
  fn: (...tensors: A) => T,
  options: CaptureOptions = {},
): (...tensors: A) => Promise<T> {
  if (typeof fn !== 'function')
    throw new ConfigError(`capture() expected fn to be a function, got ${typeof fn}.`, { argument: 'fn' });
  checkOptions('capture()', options, ['strict', 'precision', 'tune']);
  const strict = checkBoolean('capture()', 'strict', options.strict ?? false);
  const tune = checkBoolean('capture()', 'tune', options.tune ?? true);
  const { precision } = options;
  if (precision !== undefined) checkChoice('capture()', 'precision', precision, precisions);
  return async (...tensors) => {
    const device = tensors.find((tensor) => tensor instanceof Tensor)?.device ?? currentDevice();
    const inScope = (): T => tidy(() => fn(...tensors));
    const inPrecision = (): T => (precision ? autocast(precision, inScope) : inScope());
    const run = (): T => runDeferred(inPrecision, strict);
    const result = await gently(() => (tune ? run() : withoutTuning(backendOf(device), run)), { tune });
    await allDone(device);
    return result;
  };
}

function runDeferred<T>(fn: () => T, strict: boolean): T {
  beginDeferral({ strict });
  try {
    const result = fn();
    flushDeferred();
    return result;
  } finally {
    if (isDeferring()) flushDeferred();
  }
}

/** Settles when everything enqueued on the device is done; rejects with what failed. */
async function allDone(device: Device): Promise<void> {
  const backend = backendOf(device);
  const last = tidy(() => fromHost(Float32Array.of(0), [1], 'float32', device));
  try {
    await last.data();
  } finally {
    last.dispose();
  }
  backend.synchronize(); // nothing is under way any more: throws the failure that nobody has been told of
}
