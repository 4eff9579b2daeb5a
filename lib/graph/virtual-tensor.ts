// A tensor of a program that was recorded and not run yet: shape and type are known, values are not.
import { DisposedError } from '../errors.js';
import type { DType, NativeTensor } from '../native.js';
import { disposeNative } from './borrowed.js';
import type { OpTaker } from './op-taker.js';
import type { ValueDesc } from './program.js';

/** Stands in for a native tensor until the program that makes it has run. */
export class VirtualTensor implements NativeTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly recorder: OpTaker;
  /** Which of the values it is that recorded ops make, counted from 0. */
  readonly number: number;
  #state: 'pending' | 'real' | 'failed' | 'disposed' = 'pending';
  #real: NativeTensor | null = null;
  #error: unknown = null;

  constructor(recorder: OpTaker, number: number, { shape, dtype }: ValueDesc) {
    this.recorder = recorder;
    this.number = number;
    this.shape = shape;
    this.dtype = dtype;
  }

  /** Whether its program has not run, and it is still in use. */
  get isPending(): boolean {
    return this.#state === 'pending';
  }

  get bytes(): number {
    return this.real().bytes;
  }

  /** The tensor with the values; runs what was recorded where that has to be. Throws what went wrong then. */
  real(): NativeTensor {
    if (this.isPending) this.recorder.flush();
    if (this.#real) return this.#real;
    if (this.#state === 'failed') throw this.#error;
    throw new DisposedError('This tensor was disposed and cannot be used any more.', { shape: this.shape });
  }

  realize(real: NativeTensor): void {
    this.#real = real;
    this.#state = 'real';
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#state = 'failed';
  }

  share(): NativeTensor {
    return this.real().share();
  }

  dispose(): void {
    if (this.#real) disposeNative(this.#real);
    this.#real = null;
    this.#state = 'disposed';
  }
}
