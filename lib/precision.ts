// Mixed precision: the type that activations and copies of weights have. Parameters, their gradients and the optimiser's
// state stay float32. Which op computes in which type: ops/mixed.ts.
import { backendOf, type Device } from './device.js';
import { ConfigError, DTypeError } from './errors.js';
import { checkChoice } from './options.js';

export type Precision = 'float32' | 'bfloat16' | 'float16';

export const precisions: readonly Precision[] = ['float32', 'bfloat16', 'float16'];

let current: Precision = 'float32';

export const currentPrecision = (): Precision => current;

/**
 * Sets the precision of what follows: 'float32' (default), or mixed precision with 16-bit activations in 'bfloat16' or
 * 'float16'. The latter scales the loss: `backward()` multiplies by a scale that `Trainer.step()` divides by.
 * Throws ConfigError; a device that does not have the type is told by the first op that needs it (DTypeError).
 */
export function setPrecision(precision: Precision): void {
  current = checkChoice('setPrecision()', 'precision', precision, precisions);
}

/** As `setPrecision`, while `fn` runs. `fn` must not be async: a promise as its result is a ConfigError. */
export function autocast<T>(precision: Precision, fn: () => T): T {
  const next = checkChoice('autocast()', 'precision', precision, precisions);
  const previous = current;
  current = next;
  try {
    const result = fn();
    if (result instanceof Promise) {
      result.catch(() => {}); // the rest of it runs in another precision than it should; the error below says why
      throw new ConfigError('autocast() expected a function that returns its result, got one that returns a promise.');
    }
    return result;
  } finally {
    current = previous;
  }
}

/** Throws DTypeError where the device cannot compute in this precision, and says what it can. */
export function checkPrecisionOn(device: Device, precision: Precision): void {
  if (isPrecisionOn(device, precision)) return;
  const others = precisions.filter((other) => isPrecisionOn(device, other));
  throw new DTypeError(
    `Precision ${precision} expected a device that has it, got ${device}, which has ${others.join(' and ')}.`,
    { device: device.name, expected: others, found: precision },
  );
}

const supported = new Map<string, boolean>(); // by device and type: asked once, for ops ask at every call

/** Whether the device computes in this precision. */
export function isPrecisionOn(device: Device, precision: Precision): boolean {
  const key = `${device} ${precision}`;
  let answer = supported.get(key);
  if (answer === undefined) {
    answer = backendOf(device).supports(precision);
    supported.set(key, answer);
  }
  return answer;
}
