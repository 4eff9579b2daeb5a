// A forward pass that was traced once, and its backward pass: their ops are run or recorded again on other tensors, without the code of
// the layers, the checks and the tape of each op.
import { leafGradients, nodesBehind } from '../autograd/backward.js';
import { type GradNode, needsGrad, putOnTape } from '../autograd/tape.js';
import { backendOf, type Device } from '../device.js';
import { ConfigError } from '../errors.js';
import { traced } from '../graph/deferral.js';
import { Placeholder, type RepeatedOp, repeatedOps, Tracer } from '../graph/tracer.js';
import type { DType, NativeBackend, NativeTensor } from '../native.js';
import { castGradient } from '../ops/cast.js';
import { runTraced } from '../ops/run-traced.js';
import { tidy, untracked } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';

/** A traced backward pass: what it does, the head's gradient, and the numbers of the gradients that come of it, the input's first. */
interface TracedBackward {
  readonly ops: readonly RepeatedOp[];
  readonly head: { readonly value: number; readonly dtype: DType };
  readonly gradients: readonly (number | null)[];
}

/** What a backward pass needs. */
interface TracedTape {
  /** Tensors that get gradients. */
  readonly leaves: readonly Tensor[];
  /** Numbers of the values that it reads, but for constants. */
  readonly saved: readonly number[];
}

export class TracedForward {
  readonly #name: string;
  readonly #device: Device;
  readonly #backend: NativeBackend;
  readonly #tracer: Tracer;
  readonly #parameters: ReadonlyMap<NativeTensor, Tensor>;
  readonly #placeholder: Tensor;
  readonly #ops: readonly RepeatedOp[];
  readonly #output: number;
  readonly #updated: readonly Tensor[];
  readonly #tape: TracedTape | null;
  #node: GradNode | null; // of the traced pass, until the backward pass has been traced
  #backward: TracedBackward | null = null;

  /**
   * Traces `forward`, which computes in the modes that are set now, for inputs like `x`. `parameters`: what it may read besides its input.
   * Throws what `forward` throws, and ConfigError where what it does cannot be repeated.
   */
  constructor(name: string, forward: (x: Tensor) => Tensor, x: Tensor, parameters: readonly Tensor[]) {
    this.#name = name;
    this.#device = x.device;
    this.#backend = backendOf(x.device);
    this.#parameters = new Map(parameters.map((parameter) => [parameter.native, parameter]));
    this.#tracer = new Tracer(this.#backend, this.#parameters);
    this.#placeholder = this.#placeholderFor(x);
    this.#placeholder.requiresGrad = needsGrad(x);
    const y = traced(this.#tracer, () => untracked(() => tidy(() => forward(this.#placeholder))));
    this.#node = y.node;
    y.node = null; // the tape is released with the backward pass
    this.#output = this.#madeNumber(y.native);
    this.#tape = this.#node && this.#tapeOf(this.#node);
    this.#ops = repeatedOps([...this.#tracer.ops], new Set([this.#output, ...(this.#tape?.saved ?? [])]));
    this.#updated = this.#updatedParameters();
  }

  /** The output for another input like the one that was traced. */
  run(x: Tensor): Tensor {
    const natives = this.#natives();
    natives[this.#inputNumber] = x.native;
    runTraced(this.#backend, this.#ops, natives);
    for (const parameter of this.#updated) parameter.markUpdated();
    const y = new Tensor(natives[this.#output] as NativeTensor, this.#device);
    if (this.#tape) this.#record(this.#tape, x, y, natives);
    return y;
  }

  #record({ leaves, saved }: TracedTape, x: Tensor, y: Tensor, natives: readonly (NativeTensor | undefined)[]): void {
    const keep = (value: number): Tensor => {
      if (value === this.#output) return y.alias();
      const native = natives[value] as NativeTensor;
      const given = value === this.#inputNumber ? x : this.#parameters.get(native);
      return given ? given.alias() : untracked(() => new Tensor(native, this.#device));
    };
    putOnTape(this.#name, [x, ...leaves], y, saved.map(keep), (dy, kept) => this.#runBackward(dy, kept));
  }

  /** Gradients of the input and of the leaves. `kept`: what the tape saved. */
  #runBackward(dy: Tensor, kept: readonly Tensor[]): (Tensor | null)[] {
    const { leaves, saved } = this.#tape as TracedTape;
    this.#backward ??= this.#traceBackward(this.#node as GradNode, dy, leaves);
    const { ops, head, gradients } = this.#backward;
    const natives = this.#natives();
    const tensors = new Map<number, Tensor>([[head.value, castGradient(dy, head.dtype)]]);
    for (const [i, value] of saved.entries()) tensors.set(value, kept[i] as Tensor);
    for (const [value, tensor] of tensors) natives[value] = tensor.native;
    runTraced(this.#backend, ops, natives);
    return gradients.map((value) => {
      if (value === null) return null;
      const tensor = tensors.get(value) ?? new Tensor(natives[value] as NativeTensor, this.#device);
      tensors.set(value, tensor);
      return tensor;
    });
  }

  /** For head gradients like `dy`. */
  #traceBackward(node: GradNode, dy: Tensor, leaves: readonly Tensor[]): TracedBackward {
    const { ops } = this.#tracer;
    const done = ops.length;
    const head = this.#placeholderFor(dy);
    const found = traced(this.#tracer, () => leafGradients(node, head));
    const numberOf = (leaf: Tensor): number | null => {
      const gradient = found.get(leaf);
      return gradient ? (this.#tracer.numberOf(gradient.native) ?? refuse()) : null;
    };
    const gradients = [this.#placeholder, ...leaves].map(numberOf);
    const value = this.#tracer.numberOf(head.native) ?? refuse();
    for (const gradient of found.values()) gradient.dispose();
    this.#node = null;
    return {
      ops: repeatedOps(ops.slice(done), new Set(gradients.filter((value) => value !== null))),
      head: { value, dtype: dy.dtype },
      gradients,
    };
  }

  #placeholderFor(like: Tensor): Tensor {
    return untracked(() => new Tensor(new Placeholder(like), this.#device));
  }

  get #inputNumber(): number {
    return this.#tracer.numberOf(this.#placeholder.native) ?? refuse();
  }

  /** The number of a value that an op made. */
  #madeNumber(native: NativeTensor): number {
    const number = this.#tracer.numberOf(native);
    if (number === undefined || this.#tracer.given.has(number)) refuse();
    return number as number;
  }

  /** By value number: parameters and constants. */
  #natives(): (NativeTensor | undefined)[] {
    const natives = new Array<NativeTensor | undefined>(this.#tracer.valueCount).fill(undefined);
    for (const [value, native] of this.#tracer.given) natives[value] = native;
    for (const [value, native] of this.#tracer.constants) natives[value] = native;
    return natives;
  }

  /** Parameters that the ops update in place. */
  #updatedParameters(): Tensor[] {
    const updated = this.#ops.flatMap((op) => op.updated.map((value) => this.#tracer.given.get(value)));
    return updated.map((native) => (native && this.#parameters.get(native)) ?? refuse());
  }

  #tapeOf(node: GradNode): TracedTape {
    const nodes = nodesBehind(node);
    const leaves = nodes.flatMap(({ edges }) => edges.flatMap((edge) => (edge && 'leaf' in edge ? [edge.leaf] : [])));
    const saved = nodes.flatMap(({ step }) => step?.saved ?? []).filter((tensor) => tensor !== null);
    const values = new Set(saved.map((tensor) => this.#tracer.numberOf(tensor.native) ?? refuse()));
    return {
      leaves: [...new Set(leaves)].filter((leaf) => leaf !== this.#placeholder),
      saved: [...values].filter((value) => !this.#tracer.constants.has(value)),
    };
  }
}

function refuse(): never {
  throw new ConfigError('What a forward pass does cannot be repeated without its code.');
}
