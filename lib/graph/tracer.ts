// Ops traced once, by number, that can be run or recorded again on other tensors without the code that asked for them.
import { ConfigError } from '../errors.js';
import type { DType, NativeBackend, NativeTensor, OpAttributes } from '../native.js';
import type { OpTaker } from './op-taker.js';
import { updatedInputs } from './program.js';
import { VirtualTensor } from './virtual-tensor.js';

/** One op: what it reads and makes, by value number. */
export interface TracedOp {
  readonly op: string;
  readonly attributes: OpAttributes;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** Takes ops without running them, and numbers their values in the order in which they come up. */
export class Tracer implements OpTaker {
  readonly ops: TracedOp[] = [];
  /** Values that no op made, by number: parameters and placeholders. */
  readonly given = new Map<number, NativeTensor>();
  /** The others: constants, kept, for who made them frees them. */
  readonly constants = new Map<number, NativeTensor>();
  readonly #backend: NativeBackend;
  readonly #parameters: ReadonlyMap<NativeTensor, unknown>;
  readonly #numbers = new Map<NativeTensor, number>();

  constructor(backend: NativeBackend, parameters: ReadonlyMap<NativeTensor, unknown>) {
    this.#backend = backend;
    this.#parameters = parameters;
  }

  record(op: string, attributes: OpAttributes, inputs: readonly NativeTensor[]): NativeTensor[] {
    const numbers = inputs.map((input) => this.#numbers.get(input) ?? this.#leaf(input));
    const made = this.#backend
      .infer(op, attributes, inputs)
      .map((desc) => new VirtualTensor(this, this.#numbers.size, desc));
    this.ops.push({ op, attributes, inputs: numbers, outputs: made.map((output) => this.#number(output)) });
    return made;
  }

  /** How many values came up. */
  get valueCount(): number {
    return this.#numbers.size;
  }

  /** The number of a value that came up; undefined for another. */
  numberOf(native: NativeTensor): number | undefined {
    return this.#numbers.get(native);
  }

  #leaf(input: NativeTensor): number {
    const number = this.#number(input);
    if (input instanceof Placeholder || this.#parameters.has(input)) this.given.set(number, input);
    else this.constants.set(number, input.share());
    return number;
  }

  #number(native: NativeTensor): number {
    const number = this.#numbers.size;
    this.#numbers.set(native, number);
    return number;
  }

  /** Somebody wants a value: there are none. */
  flush(): never {
    throw new ConfigError('The value of a tensor was read where ops are traced: it is not known there.');
  }
}

/** Stands for a tensor that is not known when ops are traced: it has a shape and a type. */
export class Placeholder implements NativeTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes = 0;

  constructor({ shape, dtype }: { shape: readonly number[]; dtype: DType }) {
    this.shape = shape;
    this.dtype = dtype;
  }

  share(): NativeTensor {
    return this;
  }

  dispose(): void {}
}

/** A traced op with what is known of its values within a list of ops. */
export interface RepeatedOp extends TracedOp {
  /** Of each output, whether it outlives the list. */
  readonly kept: readonly boolean[];
  /** Values of the list that are not used any more after this op. */
  readonly last: readonly number[];
  /** Inputs that it updates in place. */
  readonly updated: readonly number[];
}

/** A list of ops to be repeated, of whose values those of `kept` outlive it. */
export function repeatedOps(ops: readonly TracedOp[], kept: ReadonlySet<number>): RepeatedOp[] {
  const lastUse = new Map<number, number>();
  for (const [i, { inputs, outputs }] of ops.entries()) {
    for (const made of outputs) if (!kept.has(made)) lastUse.set(made, i);
    for (const read of inputs) if (lastUse.has(read)) lastUse.set(read, i);
  }
  const last: number[][] = ops.map(() => []);
  for (const [value, i] of lastUse) last[i]?.push(value);
  return ops.map((traced, i) => {
    const { op, attributes, inputs, outputs } = traced;
    return {
      ...traced,
      kept: outputs.map((value) => kept.has(value)),
      last: last[i] as number[],
      updated: updatedInputs(op, attributes, inputs.length).map((position) => inputs[position] as number),
    };
  });
}
