// Whether ops run at once or are recorded. Recording begins with the forward pass of a hybridized block and lasts until
// a trainer has made its step or a value is read; then everything recorded runs as one program.
import { ConfigError } from '../errors.js';
import type { NativeBackend, NativeTensor } from '../native.js';
import type { OpTaker } from './op-taker.js';
import type { Program } from './program.js';
import { ProgramCache } from './program-cache.js';
import type { RecordedRun } from './recorded-run.js';
import { type Leaf, Recorder } from './recorder.js';
import { VirtualTensor } from './virtual-tensor.js';
import { type HybridBlock, noteProgram, noteRead } from './watch.js';

const readInsideText =
  'A captured function read the value of a tensor (data(), dataSync(), item(), toArray()): this splits its program in two. Read after it, or pass { strict: false }.';
const readWhileRecordedText =
  'The value of a tensor was read (data(), dataSync(), item(), toArray()) where ops are recorded without being run: it is not known there.';

interface Recording {
  recorder: Recorder;
  programs: ProgramCache;
}

const recordings = new Map<NativeBackend, Recording>();
let deferring = false;
let beganBy: HybridBlock | null = null; // the block whose forward began the recording; null: capture() did, or nothing records
let recordingOnly = false; // what is recorded is looked at and never run
let strictly = false; // reading a value meanwhile is an error
let gentle: { tune: boolean; begun: RecordedRun[] } | null = null; // how a call of `gently` has programs planned
let tracer: OpTaker | null = null; // takes all ops meanwhile; what is being recorded is left alone

/** From here on ops are recorded, on every backend; for the forward pass of `block`, where it is one. */
export function beginDeferral({
  strict = false,
  block = null,
}: {
  strict?: boolean;
  block?: HybridBlock | null;
} = {}): void {
  if (tracer) return;
  if (!deferring) beganBy = block;
  deferring = true;
  strictly ||= strict;
}

export const isDeferring = (): boolean => deferring || tracer !== null;

/** Whether what is recorded now is to run: neither looked at nor traced. */
export const isRecordingToRun = (): boolean => deferring && !recordingOnly && !tracer;

/** What takes an op for this backend; null where it is to run at once. What was recorded before has run then. */
export const takerOf = (backend: NativeBackend): OpTaker | null => tracer ?? recorderOf(backend);

/** As `takerOf`, where nothing is traced. */
export function recorderOf(backend: NativeBackend): Recorder | null {
  let recording = recordings.get(backend);
  recording?.recorder.finishUnderway();
  if (!deferring) return null;
  if (!recording) {
    const programs = new ProgramCache();
    recording = { recorder: new Recorder(backend, programs), programs };
    recordings.set(backend, recording);
  }
  return recording.recorder;
}

/** Runs everything recorded; ops run at once from here on. Within `gently`, programs that are new run later. */
export function flushDeferred(): void {
  if (recordingOnly || tracer) return;
  const block = beganBy;
  deferring = false;
  strictly = false;
  beganBy = null;
  for (const { recorder } of recordings.values()) {
    const run = recorder.flush({ gently: gentle !== null, tune: gentle?.tune });
    if (run) gentle?.begun.push(run);
    if (block && run) noteProgram(block, run.input, run.isNew);
  }
}

/**
 * Calls `fn`, which runs what is recorded. Programs of it that are new are planned a little in each turn of the event loop; whoever
 * computes something meanwhile has them planned at once. The promise gives the result when all are under way. `tune`: whether their
 * planning may choose algorithms by timing them. Default true.
 */
export async function gently<T>(fn: () => T, { tune = true } = {}): Promise<T> {
  const begun: RecordedRun[] = [];
  let result: T;
  try {
    result = flushingGently({ tune, begun }, fn);
  } finally {
    for (const run of begun) await run.runGently();
  }
  for (const run of begun) run.throwFailure();
  return result;
}

function flushingGently<T>(how: NonNullable<typeof gentle>, fn: () => T): T {
  const outer = gentle;
  gentle = how;
  try {
    return fn();
  } finally {
    gentle = outer;
  }
}

/** A forward pass has thrown: what was recorded until then runs, and recording ends, unless `capture()` began it. */
export function endDeferral(): void {
  if (!beganBy) return;
  try {
    flushDeferred();
  } catch {
    // The error of the forward pass is the one to tell; tensors that were still in use have this one.
  }
}

/** The program of what `fn` does on this backend. Nothing is run; tensors that `fn` makes have no values. */
export function recordProgram(backend: NativeBackend, fn: () => void): Program {
  const { program, leaves } = recordWithLeaves(backend, fn);
  for (const { values } of leaves) values.dispose();
  return program;
}

/** As `recordProgram`, with the leaves, whose values the caller disposes. `onRecord` is called after each op. */
export function recordWithLeaves(
  backend: NativeBackend,
  fn: () => void,
  onRecord: (() => void) | null = null,
): { program: Program; leaves: Leaf[] } {
  flushDeferred();
  beginDeferral();
  const recorder = recorderOf(backend) as Recorder;
  recordingOnly = true;
  recorder.onRecord = onRecord;
  try {
    fn();
    return recorder.take();
  } catch (error) {
    for (const { values } of recorder.take().leaves) values.dispose();
    throw error;
  } finally {
    recorder.onRecord = null;
    deferring = recordingOnly = false;
  }
}

/** Has all ops of `fn` taken by `by`, whether anything is being recorded or not. Nothing of it runs. */
export function traced<T>(by: OpTaker, fn: () => T): T {
  const outer = tracer;
  tracer = by;
  try {
    return fn();
  } finally {
    tracer = outer;
  }
}

/** Whether recorded ops are to make the values of this tensor, or to change them. */
const isToCome = (recorder: Recorder, native: NativeTensor): boolean =>
  (native instanceof VirtualTensor && native.isPending) || recorder.updates(native);

/** The tensor with the values, as recorded ops leave them. Runs these where that has to be. */
export function valuesOf(backend: NativeBackend, native: NativeTensor): NativeTensor {
  if (tracer && native instanceof VirtualTensor && native.isPending) return native.real(); // throws
  if (recordings.size === 0) return native; // nothing was ever recorded
  const recorder = recordings.get(backend)?.recorder;
  recorder?.finishUnderway();
  if (recorder && isToCome(recorder, native)) {
    if (recordingOnly) throw new ConfigError(readWhileRecordedText);
    const wasStrict = strictly;
    const tellOfRead = beganBy ? noteRead() : null;
    flushDeferred();
    recorder.finishUnderway();
    if (wasStrict) throw new ConfigError(readInsideText);
    tellOfRead?.();
  }
  return native instanceof VirtualTensor ? native.real() : native;
}

/**
 * Calls `use` with the values of the tensor, as recorded ops leave them, once these are enqueued and before anything else is. A program
 * that is new is planned gently for it.
 */
export async function whenValuesOf<T>(
  backend: NativeBackend,
  native: NativeTensor,
  use: (real: NativeTensor) => Promise<T>,
): Promise<T> {
  const recorder = recordings.get(backend)?.recorder;
  if (!recorder) return use(native); // nothing was ever recorded
  if (!recorder.isEmpty && isToCome(recorder, native) && !strictly && !recordingOnly) {
    const tellOfRead = beganBy ? noteRead() : null;
    flushingGently({ tune: true, begun: [] }, flushDeferred);
    tellOfRead?.();
  }
  const run = recorder.underway;
  return run ? run.whenRun(native, use) : use(valuesOf(backend, native));
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
