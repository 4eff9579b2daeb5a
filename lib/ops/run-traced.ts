// Runs ops that were traced (graph/tracer.ts) on other tensors.
import { disposeNative } from '../graph/borrowed.js';
import { recorderOf } from '../graph/deferral.js';
import type { Recorder } from '../graph/recorder.js';
import type { RepeatedOp } from '../graph/tracer.js';
import { noteUpdate } from '../graph/versions.js';
import type { NativeBackend, NativeTensor } from '../native.js';
import { runNative } from './run.js';

/**
 * Runs traced ops, or records them where ops are deferred. `natives`: values by number, all that the ops read and do not make; those
 * that they make and that outlive them are added.
 */
export function runTraced(
  backend: NativeBackend,
  ops: readonly RepeatedOp[],
  natives: (NativeTensor | undefined)[],
): void {
  const recorder = recorderOf(backend);
  if (recorder) record(recorder, ops, natives);
  else runNow(backend, ops, natives);
}

function record(recorder: Recorder, ops: readonly RepeatedOp[], natives: (NativeTensor | undefined)[]): void {
  for (const { updated } of ops) for (const value of updated) noteUpdate(natives[value] as NativeTensor);
  recorder.repeat(ops, natives);
}

function runNow(backend: NativeBackend, ops: readonly RepeatedOp[], natives: (NativeTensor | undefined)[]): void {
  for (const { op, attributes, inputs, outputs, last } of ops) {
    const given = inputs.map((value) => natives[value] as NativeTensor);
    const made = runNative(backend, op, attributes, given);
    for (const [position, value] of outputs.entries()) natives[value] = made[position];
    for (const value of last) disposeNative(natives[value] as NativeTensor);
  }
}
