// Whether ops run at once or are recorded. Recording begins with the forward pass of a hybridized block and lasts until
// a trainer has made its step or a value is read; then everything recorded runs as one program.
import { ConfigError } from '../errors.js';
import type { NativeBackend, NativeTensor } from '../native.js';
import type { Program } from './program.js';
import { ProgramCache } from './program-cache.js';
import { Recorder } from './recorder.js';
import { VirtualTensor } from './virtual-tensor.js';

const readInsideText =
  'A captured function read the value of a tensor (data(), dataSync(), item(), toArray()): this splits its program in two. Read after it, or pass { strict: false }.';

interface Recording {
  recorder: Recorder;
  programs: ProgramCache;
}

const recordings = new Map<NativeBackend, Recording>();
let deferring = false;
let recordingOnly = false; // what is recorded is looked at and never run
let strictly = false; // reading a value meanwhile is an error

/** From here on ops are recorded, on every backend. */
export function beginDeferral({ strict = false }: { strict?: boolean } = {}): void {
  deferring = true;
  strictly ||= strict;
}

export const isDeferring = (): boolean => deferring;

/** The recorder that takes an op for this backend; null where it is to run at once. */
export function recorderOf(backend: NativeBackend): Recorder | null {
  if (!deferring) return null;
  let recording = recordings.get(backend);
  if (!recording) {
    const programs = new ProgramCache();
    recording = { recorder: new Recorder(backend, programs), programs };
    recordings.set(backend, recording);
  }
  return recording.recorder;
}

/** Runs everything recorded; ops run at once from here on. */
export function flushDeferred(): void {
  if (recordingOnly) return;
  deferring = false;
  strictly = false;
  for (const { recorder } of recordings.values()) recorder.flush();
}

/** The program of what `fn` does on this backend. Nothing is run; tensors that `fn` makes have no values. */
export function recordProgram(backend: NativeBackend, fn: () => void): Program {
  flushDeferred();
  beginDeferral();
  recordingOnly = true;
  try {
    fn();
  } finally {
    deferring = recordingOnly = false;
  }
  return recordings.get(backend)?.recorder.take() ?? { leafCount: 0, values: [], nodes: [], outputs: [] };
}

/** The tensor with the values, as recorded ops leave them. Runs these where that has to be. */
export function valuesOf(backend: NativeBackend, native: NativeTensor): NativeTensor {
  if (recordings.size === 0) return native; // nothing was ever recorded
  const recorder = recordings.get(backend)?.recorder;
  const isPending = native instanceof VirtualTensor && native.isPending;
  if (recorder && (isPending || recorder.updates(native))) {
    const wasStrict = strictly;
    flushDeferred();
    if (wasStrict) throw new ConfigError(readInsideText);
  }
  return native instanceof VirtualTensor ? native.real() : native;
}

/** Gives back the memory of all programs; those that are needed again are planned anew. */
export function clearPrograms(): void {
  flushDeferred();
  for (const { programs } of recordings.values()) programs.clear();
}

/** How many programs are kept for a backend. For tests and diagnosis. */
export function programCount(backend: NativeBackend): number {
  return recordings.get(backend)?.programs.size ?? 0;
}
