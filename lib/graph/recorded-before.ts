// What was recorded before. A step of training records the same hundreds of ops each time: one that comes in the same place, after
// the same ops, gives outputs of the same shapes and types, which backends need not be asked for again.
import type { OpAttributes } from '../native.js';
import type { ValueDesc } from './program.js';

export interface RecordedOp {
  readonly op: string;
  readonly attributes: OpAttributes;
  /** Which earlier outputs and which leaves it reads; of leaves also shape and type. */
  readonly inputs: string;
  readonly outputs: readonly ValueDesc[];
  /** Tells it from every other op. */
  readonly text: string;
}

const maxKept = 64;

/** Follows a recording op by op, as long as it goes as an earlier one with the same first op. */
export class RecordedBefore {
  readonly #kept = new Map<string, readonly RecordedOp[]>(); // by the first op's text
  #expected: readonly RecordedOp[] | undefined;
  #ops: RecordedOp[] = [];

  /** The ops of this recording. */
  get ops(): readonly RecordedOp[] {
    return this.#ops;
  }

  /** Notes the next op of the recording. `infer` tells its outputs where it is not known. */
  next(op: string, attributes: OpAttributes, inputs: string, infer: () => readonly ValueDesc[]): RecordedOp {
    const noted = this.#known(op, attributes, inputs) ?? this.#unknown(op, attributes, inputs, infer);
    this.#ops.push(noted);
    return noted;
  }

  /** The recording is over: it is what later ones are compared with. */
  end(): void {
    const [first] = this.#ops;
    if (first) {
      if (this.#kept.size >= maxKept) this.#kept.clear();
      this.#kept.set(first.text, this.#ops);
    }
    this.#ops = [];
    this.#expected = undefined;
  }

  #known(op: string, attributes: OpAttributes, inputs: string): RecordedOp | null {
    const known = this.#expected?.[this.#ops.length];
    if (known && known.op === op && known.inputs === inputs && areSame(known.attributes, attributes)) return known;
    this.#expected = undefined; // inputs are told by number: from here on they are of other ops
    return null;
  }

  #unknown(op: string, attributes: OpAttributes, inputs: string, infer: () => readonly ValueDesc[]): RecordedOp {
    const text = `${op}${JSON.stringify(attributes)}${inputs}`;
    const outputs = infer();
    if (this.#ops.length === 0) this.#expected = this.#kept.get(text);
    return { op, attributes, inputs, outputs, text };
  }
}

function areSame(a: OpAttributes, b: OpAttributes): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSame(a[name], b[name]));
}

function isSame(a: OpAttributes[string], b: OpAttributes[string]): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
