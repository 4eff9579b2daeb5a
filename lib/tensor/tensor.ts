// The Tensor class: a reference to values on a device. The arithmetic is in lib/ops.
import { backward } from '../autograd/backward.js';
import { dropReference, type GradNode } from '../autograd/tape.js';
import { backendOf, type Device } from '../device.js';
import { ConfigError, DisposedError, DTypeError, ShapeError } from '../errors.js';
import { valuesOf, whenValuesOf } from '../graph/deferral.js';
import type { DType, NativeTensor, TypedArray } from '../native.js';
import { checkTensors } from '../ops/attributes.js';
import { isFloat } from '../ops/cast.js';
import * as ops from '../ops/index.js';
import { run1 } from '../ops/run.js';
import { formatTensor, type NestedArray, nest } from './format.js';
import { Handle } from './handle.js';
import { track, untrack, untracked } from './scope.js';

/** An n-dimensional array on a device. Shapes of images are [batch, channels, height, width]. */
export class Tensor {
  readonly shape: readonly number[];
  readonly size: number;
  readonly ndim: number;
  readonly dtype: DType;
  readonly device: Device;
  /** The gradient that the last `backward()` left here; the next one disposes it. Belongs to this tensor: disposed with it. */
  grad: Tensor | null = null;
  /** Of a gradient in float16 mixed precision: what it was multiplied by. `Trainer.step()` divides by it. */
  lossScale = 1;
  /** The recorded op that made this tensor. Internal. */
  node: GradNode | null = null;
  #handle: Handle | null;
  #requiresGrad = false;

  /** Internal: tensors are made by `tensor`, `zeros`, ... and by ops. */
  constructor(native: NativeTensor, device: Device, shared?: Handle) {
    this.#handle = shared ?? new Handle(native);
    this.#handle.references += 1;
    this.shape = Object.freeze(native.shape);
    this.size = this.shape.reduce((n, d) => n * d, 1);
    this.ndim = this.shape.length;
    this.dtype = native.dtype;
    this.device = device;
    track(this);
  }

  /** The native tensor. Internal. Throws DisposedError. */
  get native(): NativeTensor {
    return this.#live().native;
  }

  #live(): Handle {
    if (this.#handle) return this.#handle;
    throw new DisposedError(
      `This tensor of shape [${this.shape.join(', ')}] was disposed and cannot be used any more.`,
      { shape: this.shape },
    );
  }

  /** Whether `backward()` leaves a gradient here. Set it on tensors that no recorded op made. Default false. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }
  set requiresGrad(wanted: boolean) {
    if (wanted && !isFloat(this.dtype))
      throw new DTypeError(`requiresGrad expected a floating-point tensor, got ${this.dtype}.`, { dtype: this.dtype });
    if (wanted && this.node)
      throw new ConfigError(
        `requiresGrad expected a tensor without history, got the result of '${this.node.op}'. Use detach().`,
      );
    this.#requiresGrad = wanted;
  }

  /** How often the values were updated in place. Internal. */
  get version(): number {
    return this.#handle?.version ?? 0;
  }

  /** Notes an update in place. Internal. */
  markUpdated(): void {
    this.#handle?.markUpdated();
  }

  /** Whether other Tensor objects refer to the same values. Internal. */
  get isShared(): boolean {
    return (this.#handle?.references ?? 0) > 1;
  }

  /** Another Tensor object for the same values, outside scopes and without history. Internal: how the tape keeps values. */
  alias(): Tensor {
    const handle = this.#live();
    return untracked(() => new Tensor(handle.native, this.device, handle));
  }

  /** The values as `dtype`, without history: a copy that is made once and kept until they are updated. Internal. */
  keptAs(dtype: DType): Tensor {
    const handle = this.#live();
    if (handle.copy?.dtype !== dtype) {
      handle.dropCopy();
      handle.copy = untracked(() => run1('cast', { dtype }, [this]));
    }
    return handle.copy.detach();
  }

  /** Frees the values (or this reference to them) and `grad` at once. Twice is harmless. */
  dispose(): void {
    if (!this.#handle) return;
    this.#handle.release();
    this.#handle = null;
    untrack(this);
    if (this.node) dropReference(this.node);
    this.node = null;
    this.grad?.dispose();
    this.grad = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get disposed(): boolean {
    return this.#handle === null;
  }

  // ---- to the host

  /** The values in row-major order, when they are there; the event loop stays free. 16-bit floats come as Float32Array. */
  async data(): Promise<TypedArray> {
    const backend = backendOf(this.device);
    return whenValuesOf(backend, this.native, (real) => backend.readAsync(real));
  }

  /** As `data`, but waits. */
  dataSync(): TypedArray {
    const backend = backendOf(this.device);
    return backend.read(valuesOf(backend, this.native));
  }

  /** The value of a tensor of one element. */
  item(): number {
    if (this.size !== 1)
      throw new ShapeError(`item() expected a tensor of one element, got shape [${this.shape.join(', ')}].`, {
        shape: this.shape,
      });
    return this.dataSync()[0] as number;
  }

  /** The values as nested arrays; a number for a scalar. */
  toArray(): NestedArray | number {
    return nest(this.dataSync(), this.shape);
  }

  /** Shape, type, device and values, long axes shortened. */
  toString(): string {
    return formatTensor(this);
  }

  /** What console.log shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return formatTensor(this);
  }

  // ---- elsewhere, otherwise

  /** A copy on another device; this tensor itself where it is there already. */
  to(device: Device): Tensor {
    return ops.copyTo(this, device);
  }

  /** A copy of another type: 'float32', 'bfloat16', 'float16', 'int32' or 'uint8'. */
  astype(dtype: DType): Tensor {
    return ops.cast(this, dtype);
  }

  /** The same values in another shape; one -1 stands for what is left. */
  reshape(shape: readonly number[]): Tensor {
    return ops.reshape(this, shape);
  }

  /** The same values, without history. */
  detach(): Tensor {
    const copy = this.alias();
    track(copy);
    return copy;
  }

  // ---- arithmetic, with NumPy's broadcasting

  add(other: Tensor | number): Tensor {
    return ops.add(this, other);
  }
  sub(other: Tensor | number): Tensor {
    return ops.sub(this, other);
  }
  mul(other: Tensor | number): Tensor {
    return ops.mul(this, other);
  }
  div(other: Tensor | number): Tensor {
    return ops.div(this, other);
  }
  /** uint8: 1 where equal, else 0. */
  equal(other: Tensor | number): Tensor {
    return ops.equal(this, other);
  }
  relu(): Tensor {
    return ops.relu(this);
  }
  /** Over `axis`, by default the last. */
  softmax(axis = -1): Tensor {
    return ops.softmax(this, axis);
  }
  logSoftmax(axis = -1): Tensor {
    return ops.logSoftmax(this, axis);
  }
  /** int32 indices of the largest values along `axis`, the first of equals. */
  argmax(axis = -1): Tensor {
    return ops.argmax(this, axis);
  }
  /** Over one axis, several, or all of them (a scalar, shape []). */
  sum(axis?: number | readonly number[]): Tensor {
    return ops.sum(this, axis);
  }
  mean(axis?: number | readonly number[]): Tensor {
    return ops.mean(this, axis);
  }

  // ---- autograd

  /**
   * Computes the gradients of every recorded tensor with `requiresGrad` that this one depends on.
   * `headGrad` is the gradient of this tensor, by default ones. Releases the tape unless `retainGraph`.
   */
  backward(headGrad?: Tensor, options: { retainGraph?: boolean } = {}): void {
    checkTensors('backward', headGrad === undefined ? {} : { headGrad });
    if (headGrad && headGrad.dtype !== this.dtype)
      throw new DTypeError(`backward() expected a head gradient of type ${this.dtype}, got ${headGrad.dtype}.`);
    this.#live();
    backward(this, headGrad, options.retainGraph ?? false);
  }
}
