// Copies: to new memory, into existing memory, to another device.
import { recordOp } from '../autograd/tape.js';
import type { Device } from '../device.js';
import { ConfigError } from '../errors.js';
import { fromHost } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { run, run1 } from './run.js';

/** The same values in memory of their own. */
export function copy(x: Tensor): Tensor {
  checkTensors('copy', { x });
  const y = run1('copy', {}, [x]);
  recordOp('copy', [x], y, [], (dy) => [dy]);
  return y;
}

/**
 * Writes the values of `from` into `to`, in place: same shape, types may differ. Records nothing, and a backward pass that
 * still needs the old values throws a ConfigError. `to` must not be the result of a recorded op.
 */
export function assign(to: Tensor, from: Tensor): void {
  checkTensors('assign', { to, from });
  if (to.node)
    throw new ConfigError(
      `assign expected a tensor without history to write to, got the result of '${to.node.op}'. Use detach().`,
    );
  run('assign', {}, [to, from]);
  to.markUpdated();
}

/** A copy on another device, through the host; x itself where it is there already. */
export function copyTo(x: Tensor, device: Device): Tensor {
  checkTensors('copyTo', { x });
  const home = x.device;
  if (device.equals(home)) return x;
  const y = transfer(x, device);
  recordOp('copyTo', [x], y, [], (dy) => [transfer(dy, home)]);
  return y;
}

function transfer(x: Tensor, device: Device): Tensor {
  const values = x.dataSync();
  if (x.dtype !== 'bfloat16' && x.dtype !== 'float16') return fromHost(values, x.shape, x.dtype, device);
  return tidy(() => run1('cast', { dtype: x.dtype }, [fromHost(values, x.shape, 'float32', device)]));
}
