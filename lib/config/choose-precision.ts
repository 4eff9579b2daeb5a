// The precision that a config asks for, on the device that was chosen.
import type { Device } from '../device.js';
import { checkPrecisionOn, isPrecisionOn, type Precision } from '../precision.js';

/**
 * The precision of a config's `precision` on the device: 'auto' is bfloat16 where the device computes in it, else float32.
 * Throws DTypeError where it is another that the device lacks.
 */
export function choosePrecision(precision: Precision | 'auto', device: Device): Precision {
  if (precision === 'auto') return isPrecisionOn(device, 'bfloat16') ? 'bfloat16' : 'float32';
  checkPrecisionOn(device, precision);
  return precision;
}
