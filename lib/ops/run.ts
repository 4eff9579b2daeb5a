// The one way from tensors to native code. Every op passes here.
import { backendOf, type Device } from '../device.js';
import { DeviceError } from '../errors.js';
import { takerOf, valuesOf } from '../graph/deferral.js';
import { noteUpdates } from '../graph/versions.js';
import type { NativeBackend, NativeTensor, OpAttributes } from '../native.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Runs one op of the op set (native/core/op.h) on the device of its inputs, or records it where ops are deferred
 * (lib/graph). Puts nothing on the autograd tape: see autograd/tape.ts.
 */
export function run(op: string, attributes: OpAttributes, inputs: readonly Tensor[]): Tensor[] {
  const device = deviceOf(op, inputs);
  const backend = backendOf(device);
  const natives = inputs.map((tensor) => tensor.native);
  return runNative(backend, op, attributes, natives).map((native) => new Tensor(native, device));
}

/** As `run`, for native tensors. */
export function runNative(
  backend: NativeBackend,
  op: string,
  attributes: OpAttributes,
  inputs: readonly NativeTensor[],
): NativeTensor[] {
  const taker = takerOf(backend);
  noteUpdates(op, attributes, inputs);
  if (taker) return taker.record(op, attributes, inputs);
  return backend.run(
    op,
    attributes,
    inputs.map((input) => valuesOf(backend, input)),
  );
}

/** As `run`, for an op with one output. */
export function run1(op: string, attributes: OpAttributes, inputs: readonly Tensor[]): Tensor {
  return run(op, attributes, inputs)[0] as Tensor;
}

/** The one device of all inputs. */
function deviceOf(op: string, inputs: readonly Tensor[]): Device {
  const device = (inputs[0] as Tensor).device;
  const other = inputs.find((tensor) => !tensor.device.equals(device));
  if (other)
    throw new DeviceError(
      `${op} expected all tensors on ${device}, got one on ${other.device}. Move it with .to(device).`,
      { op },
    );
  return device;
}
