// A parameter: a tensor that a layer owns, its gradient, and how it comes to its first values.
import { currentDevice, type Device } from '../device.js';
import { ConfigError, DTypeError, ShapeError } from '../errors.js';
import { type Initializer, type RandomStream, Uniform, Zero } from '../init/index.js';
import type { DType, TypedArray } from '../native.js';
import { kindOf } from '../ops/attributes.js';
import { assign } from '../ops/index.js';
import { run1 } from '../ops/run.js';
import { checkBoolean, checkNumber, checkOptions } from '../options.js';
import { checkShape, fromHost } from '../tensor/create.js';
import { randomStream } from '../tensor/random.js';
import { tidy, untracked } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { checkInitializer, fitsShape, type InitializeOptions, type ParameterOptions } from './parameter-options.js';

/** Initialisation that waits for the shape. Its random stream is settled already. */
interface Pending {
  init: Initializer;
  device: Device;
  random: RandomStream;
}

/**
 * A named tensor of a layer, with its gradient. It lives outside memory scopes.
 * Random values: `initialize()` gives every parameter a stream of its own, in definition order; a weight whose shape
 * comes with the first forward uses the stream it was given then. So one seed gives the same weights on every device,
 * whether shapes were stated or inferred, and whatever else is drawn in between.
 */
export class Parameter {
  /** 'conv0.weight': the layer's name and its own. Structural names are the keys of `collectParams()`. */
  readonly name: string;
  readonly dtype: DType = 'float32';
  #shape: readonly number[];
  #trainable: boolean;
  readonly #madeTrainable: boolean;
  #lrMult = 1;
  #wdMult = 1;
  readonly #init: Initializer | undefined;
  #tensor: Tensor | null = null;
  #pending: Pending | null = null;

  constructor(name: string, options: ParameterOptions) {
    const where = `Parameter '${name}'`;
    checkOptions(where, options, ['shape', 'init', 'trainable', 'lrMult', 'wdMult']);
    this.name = name;
    this.#shape = Object.freeze([...checkShape(options.shape)]);
    this.#init = options.init === undefined ? undefined : checkInitializer(where, options.init);
    this.#madeTrainable = checkBoolean(where, 'trainable', options.trainable ?? true);
    this.#trainable = this.#madeTrainable;
    this.lrMult = options.lrMult ?? 1;
    this.wdMult = options.wdMult ?? 1;
  }

  /** Sizes that are not known yet are 0. */
  get shape(): readonly number[] {
    return this.#shape;
  }

  /** Whether it has values. */
  get initialized(): boolean {
    return this.#tensor !== null;
  }

  /** Whether `backward()` computes a gradient for it and the trainer updates it. */
  get trainable(): boolean {
    return this.#trainable;
  }
  set trainable(value: boolean) {
    this.#trainable = checkBoolean(`Parameter '${this.name}'`, 'trainable', value);
    if (!this.#tensor) return;
    this.#tensor.requiresGrad = value;
    if (value) return;
    this.#tensor.grad?.dispose(); // it would never be replaced
    this.#tensor.grad = null;
  }

  /** Makes it trainable again where its layer made it so: running statistics stay as they are. */
  unfreeze(): void {
    if (this.#madeTrainable) this.trainable = true;
  }

  /** Multiplies the trainer's learning rate. */
  get lrMult(): number {
    return this.#lrMult;
  }
  set lrMult(value: number) {
    this.#lrMult = checkNumber(`Parameter '${this.name}'`, 'lrMult', value, { min: 0 });
  }

  /** Multiplies the trainer's weight decay. */
  get wdMult(): number {
    return this.#wdMult;
  }
  set wdMult(value: number) {
    this.#wdMult = checkNumber(`Parameter '${this.name}'`, 'wdMult', value, { min: 0 });
  }

  /** The values: the one tensor that training updates, not a copy. Throws ConfigError while there are none. */
  data(): Tensor {
    return this.#tensor ?? this.#missing();
  }

  /** The gradient of the last `backward()`. Throws ConfigError while there is none. */
  grad(): Tensor {
    const { grad } = this.data();
    if (grad) return grad;
    const why = this.#trainable
      ? 'call backward() on a loss that was computed from it inside autograd.record()'
      : 'it is not trainable';
    throw new ConfigError(`Parameter '${this.name}' has no gradient: ${why}.`, { parameter: this.name });
  }

  /** Gives it new values, copied in place; a parameter without values gets them, and its shape, from here. */
  setData(values: Tensor | TypedArray): void {
    if (!(values instanceof Tensor)) {
      this.setHostData(values, this.#shapeOfArray(values));
      return;
    }
    this.#checkFits(values.shape);
    const device = this.#tensor?.device ?? values.device;
    untracked(() => tidy(() => this.#take(values.to(device))));
  }

  /** As `setData`, for values on the host whose shape is known to fit. Internal: `block.loadParameters()`. */
  setHostData(values: TypedArray, shape: readonly number[]): void {
    const device = this.#tensor?.device ?? this.#pending?.device ?? currentDevice();
    untracked(() => tidy(() => this.#take(fromHost(Float32Array.from(values), shape, 'float32', device))));
  }

  /** Copies values that are on the right device and of the right shape. */
  #take(source: Tensor): void {
    if (this.#tensor) assign(this.#tensor, source);
    else
      this.#adopt(
        untracked(() =>
          source.dtype === 'float32' ? run1('copy', {}, [source]) : run1('cast', { dtype: 'float32' }, [source]),
        ),
      );
  }

  /** Draws the first values, now or, where a size is not known yet, at the first forward. Internal: `block.initialize()`. */
  initialize({ init = new Uniform(), device, forceReinit = false }: InitializeOptions = {}): void {
    if (this.#tensor && !forceReinit) return;
    this.#pending = { init: this.#init ?? init, device: device ?? currentDevice(), random: randomStream() };
    if (this.#isShapeKnown) this.#drawPending();
  }

  /** Settles sizes that were not known from the first input, and draws the values that waited for them. Internal. */
  inferShape(shape: readonly number[]): void {
    if (this.#tensor || this.#isShapeKnown) return;
    if (!this.#pending) this.#missing();
    this.#shape = Object.freeze(this.#shape.map((d, axis) => d || (shape[axis] as number)));
    this.#drawPending();
  }

  /** Lets a parameter without values be used as zeros; the returned function undoes it. Internal: `block.summary()`. */
  borrowZeros(device: Device): () => void {
    if (this.#tensor) return () => {};
    const [shape, pending] = [this.#shape, this.#pending];
    this.#pending = { init: new Zero(), device, random: { seed: 0, stream: 0 } };
    if (this.#isShapeKnown) this.#drawPending();
    return () => {
      this.#tensor?.dispose();
      [this.#tensor, this.#shape, this.#pending] = [null, shape, pending];
    };
  }

  toString(): string {
    return `Parameter ${this.name} [${this.#shape.join(', ')}] ${this.dtype}`;
  }

  get #isShapeKnown(): boolean {
    return !this.#shape.includes(0);
  }

  #drawPending(): void {
    const { init, device, random } = this.#pending as Pending;
    const values = init.values(this.#shape, random);
    untracked(() => {
      const drawn = fromHost(values, this.#shape, 'float32', device);
      if (this.#tensor?.device.equals(device)) {
        assign(this.#tensor, drawn);
        drawn.dispose();
        this.#pending = null;
      } else this.#adopt(drawn);
    });
  }

  #adopt(tensor: Tensor): void {
    this.#tensor?.dispose();
    this.#tensor = tensor;
    this.#shape = tensor.shape;
    this.#pending = null;
    tensor.requiresGrad = this.#trainable;
  }

  #missing(): never {
    const remedy = this.#pending
      ? `Its shape [${this.#shape.join(', ')}] has sizes (0) that the first forward tells: run one, or give the layer its number of inputs.`
      : 'Call initialize() or loadParameters() on the net first.';
    throw new ConfigError(`Parameter '${this.name}' has no values yet. ${remedy}`, { parameter: this.name });
  }

  #shapeOfArray(values: TypedArray): readonly number[] {
    if (!(values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array)) {
      throw new DTypeError(
        `Parameter '${this.name}' expected a Tensor, Float32Array, Int32Array or Uint8Array, got ${kindOf(values)}.`,
        { parameter: this.name },
      );
    }
    const size = this.#shape.reduce((n, d) => n * d, 1);
    if (this.#isShapeKnown && values.length === size) return this.#shape;
    const expected = this.#isShapeKnown ? `${size} values for shape` : 'a Tensor, because its shape is not known yet:';
    throw new ShapeError(
      `Parameter '${this.name}' expected ${expected} [${this.#shape.join(', ')}], got ${values.length} values.`,
      { parameter: this.name, expected: this.#shape, found: [values.length] },
    );
  }

  #checkFits(shape: readonly number[]): void {
    if (fitsShape(this.#shape, shape)) return;
    throw new ShapeError(
      `Parameter '${this.name}' expected values of shape [${this.#shape.join(', ')}], got [${shape.join(', ')}].`,
      { parameter: this.name, expected: this.#shape, found: shape },
    );
  }
}
