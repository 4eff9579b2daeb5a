// Loads the native addon: the only file that does. Its types are the contract with native/binding.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackendUnavailableError, errorFromNative } from './errors.js';

export type DType = 'float32' | 'bfloat16' | 'float16' | 'int32' | 'uint8';
export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** A tensor of a backend. Garbage collection frees it; `dispose` does so at once. */
export interface NativeTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Bytes of its storage. */
  readonly bytes: number;
  /** Another reference to the same tensor. */
  share(): NativeTensor;
  /** Drops this reference; any later use is a DisposedError. Twice is harmless. */
  dispose(): void;
}

export type OpAttributes = Record<string, number | readonly number[] | boolean | string | undefined>;

/** An op of a program: its inputs are value numbers, leaves first, then the outputs of the nodes in order. */
export interface NativeNode {
  op: string;
  attributes: OpAttributes;
  inputs: readonly number[];
  outputCount: number;
}

export type PlanningProgress = 'planned' | 'more' | 'timing';

/** A list of ops planned once, with all its memory in one arena. */
export interface NativeProgram {
  /** Bytes of the arena that holds what exists only within a run. */
  readonly arenaBytes: number;
  /** The most bytes that are needed at any time: no arena could be smaller. */
  readonly lowerBoundBytes: number;
  /** How often its runs were recorded (as a CUDA graph), how many were replays, and why they are not recorded ('': they may be). */
  readonly replayStats: { recordings: number; replays: number; refusal: string };
  /**
   * Goes on planning for so many milliseconds (at least one op), for the same leaves, or to the end. Tells how far it is: 'timing'
   * where it waits for algorithms that are being timed.
   */
  plan(leaves: readonly NativeTensor[], milliseconds?: number): PlanningProgress;
  /** Enqueues one run on tensors like those it was planned for; returns the outputs, whose values may not be there yet. */
  run(leaves: readonly NativeTensor[]): NativeTensor[];
  dispose(): void;
}

export interface NativeBackend {
  readonly name: string;
  describe(): Record<string, string>;
  supports(dtype: DType): boolean;
  /** Enqueues one op and returns its outputs, whose values may not be there yet. */
  run(op: string, attributes: OpAttributes, inputs: readonly NativeTensor[]): NativeTensor[];
  /** Types and shapes of an op's outputs. Throws what `run` would throw for them. */
  infer(
    op: string,
    attributes: OpAttributes,
    inputs: readonly { shape: readonly number[]; dtype: DType }[],
  ): { shape: number[]; dtype: DType }[];
  /** Plans a program for leaves of these types, shapes and layouts, to the end or for so many milliseconds. */
  compile(
    nodes: readonly NativeNode[],
    leaves: readonly NativeTensor[],
    outputs: readonly number[],
    milliseconds?: number,
  ): NativeProgram;
  /** Copies host values (already of the type's own form) into a new tensor. */
  fromHost(values: TypedArray | Uint16Array, shape: readonly number[], dtype: DType): NativeTensor;
  /** Waits, then copies to the host; 16-bit floats come as Float32Array. */
  read(tensor: NativeTensor): TypedArray;
  readAsync(tensor: NativeTensor): Promise<TypedArray>;
  synchronize(): void;
  setThreads(threads: number): void;
  /** Whether algorithms are chosen by timing them, from here on. */
  setTuning(on: boolean): void;
  memory(): { tensors: number; bytes: number; peakBytes: number; reservedBytes: number };
  trim(): void;
  /** Whether ops that are enqueued from now on are timed. CPU only: ConfigError elsewhere. */
  profile(on: boolean): void;
  /** Waits for all work; the ops that were timed since the last call, in order of execution. */
  takeProfile(): OpTime[];
}

/** One run of an op on the CPU. */
export interface OpTime {
  /** Its name in the op set, as in `backend.run`. */
  op: string;
  inputs: { shape: number[]; dtype: DType }[];
  outputs: { shape: number[]; dtype: DType }[];
  /** How it was computed, as oneDNN names it; empty for loops of residua's own. */
  algorithm: string;
  milliseconds: number;
  /** The part of `milliseconds` in which inputs and outputs were moved to other layouts. */
  reorderMilliseconds: number;
}

/** What one batch is made from: rows of a data set of bytes, gathered, resized and scaled. */
export interface BatchRequest {
  /** [n, channels, height, width] */
  images: Uint8Array;
  channels: number;
  height: number;
  width: number;
  labels: Uint8Array | Int32Array;
  /** Rows to take, in order. */
  indices: Int32Array;
  /** Target size of the bilinear resize (half-pixel centres); the source's own size for none. */
  outHeight: number;
  outWidth: number;
  /** Multiplies every pixel. */
  scale: number;
  /** [indices.length, channels, outHeight, outWidth], written. */
  outImages: Float32Array;
  /** [indices.length], written. */
  outLabels: Int32Array;
}

export interface NativeAddon {
  /** Called once before anything else: how native code makes errors. */
  initialize(makeError: typeof errorFromNative): void;
  /** Throws BackendUnavailableError. The same name gives the same backend within one environment. */
  openBackend(name: string): NativeBackend;
  /** Counter-based generator (Philox 4x32-10): `count` values from position `offset` of the stream (seed, stream). */
  randomUniform(count: number, seed: number, stream: number, low: number, high: number): Float32Array;
  randomNormal(count: number, seed: number, stream: number, mean: number, std: number): Float32Array;
  /** A permutation of 0 .. count - 1 (Fisher-Yates). */
  randomPermutation(count: number, seed: number, stream: number): Int32Array;
  /** Fills the request's outputs on a thread of the pool. */
  prepareBatch(request: BatchRequest): Promise<void>;
  /** Cores that this process may use: affinity and cgroup limit. */
  availableCores(): number;
}

/** The package's root: the folder of package.json, both from lib/ and from dist/. */
export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** The addon's file: RESIDUA_ADDON, else the one that the build writes. */
export function addonFile(): string {
  return process.env.RESIDUA_ADDON ?? join(packageRoot, 'build', 'Release', 'residua.node');
}

let loaded: NativeAddon | undefined;

/** The addon, loaded at first use. */
export function native(): NativeAddon {
  if (loaded) return loaded;
  const file = addonFile();
  if (!existsSync(file)) {
    throw new BackendUnavailableError(
      `The native addon is missing: looked for ${file}. Build it with 'npm run setup' in ${packageRoot}.`,
      { file },
    );
  }
  try {
    loaded = createRequire(import.meta.url)(file) as NativeAddon;
  } catch (cause) {
    throw new BackendUnavailableError(
      `The native addon ${file} does not load: ${(cause as Error).message}\n${loadRemedy(cause as Error)}`,
      { file },
      { cause },
    );
  }
  loaded.initialize(errorFromNative);
  return loaded;
}

/** What helps against an error of the dynamic linker. */
function loadRemedy(error: Error): string {
  if (/libdnnl/.test(error.message))
    return "oneDNN is missing: 'apt-get install libdnnl-dev' (Debian, Ubuntu) or 'npm run setup'.";
  if (/GLIBC|invalid ELF|NODE_MODULE_VERSION/.test(error.message))
    return "It was built for another system: rebuild it with 'npm run build:native'.";
  return "Rebuild it with 'npm run build:native'.";
}
