// What was recorded before. A step of training records the same hundreds of ops each time: one that comes in the same place, after
// the same ops, gives outputs of the same shapes and types, which backends need not be asked for again.
import type { OpAttributes } from '../native.js';
import type { ValueDesc } from './program.js';

/** One op of a recording. What it reads: leaf i as i, the value that was made as number j as ~j, which is below 0. */
export interface RecordedOp {
  readonly op: string;
  readonly attributes: OpAttributes;
  readonly inputs: readonly number[];
  readonly outputs: readonly ValueDesc[];
}

/** Ops in order, and shape and type of each leaf that they read. */
interface Recording {
  readonly ops: readonly RecordedOp[];
  readonly leaves: readonly string[];
  /** Tells what it computes. */
  readonly text: string;
}

const maxKept = 64;

/** Follows a recording op by op, as long as it goes as an earlier one with the same first op. */
export class RecordedBefore {
  readonly #kept = new Map<string, Recording>(); // by the first op's text
  #expected: Recording | undefined;
  readonly #ops: RecordedOp[] = [];
  readonly #leaves: string[] = [];

  /** Whether no op was recorded since the end of the last recording. */
  get isEmpty(): boolean {
    return this.#ops.length === 0;
  }

  /** Shape and type of the next leaf. */
  leaf(text: string): void {
    this.#leaves.push(text);
  }

  /** Notes the next op of the recording. `infer` tells its outputs where it is not known. */
  next(op: string, attributes: OpAttributes, inputs: readonly number[], infer: () => readonly ValueDesc[]): RecordedOp {
    if (this.#ops.length === 0) this.#expected = this.#kept.get(this.#textOf(op, attributes, inputs));
    const known = this.#expected?.ops[this.#ops.length];
    const isKnown =
      known && known.op === op && this.#areSame(known.inputs, inputs) && hasAttributes(known.attributes, attributes);
    if (!isKnown) this.#expected = undefined; // inputs are told by number: from here on they are of other ops
    const noted = isKnown ? known : { op, attributes, inputs, outputs: infer() };
    this.#ops.push(noted);
    return noted;
  }

  /** The recording is over: it is what later ones are compared with. Returns its ops, and a text that is equal where they are. */
  end(): { ops: readonly RecordedOp[]; text: string } {
    const recording = this.#isAsExpected() ? (this.#expected as Recording) : this.#recording();
    const [first] = recording.ops;
    if (first && recording !== this.#expected) {
      if (this.#kept.size >= maxKept) this.#kept.clear();
      this.#kept.set(this.#textOf(first.op, first.attributes, first.inputs), recording);
    }
    this.#ops.length = 0;
    this.#leaves.length = 0;
    this.#expected = undefined;
    return recording;
  }

  #isAsExpected(): boolean {
    return this.#expected?.ops.length === this.#ops.length && this.#expected.leaves.length === this.#leaves.length;
  }

  #recording(): Recording {
    const text = this.#ops.map(({ op, attributes, inputs }) => this.#textOf(op, attributes, inputs)).join(';');
    return { ops: this.#ops.slice(), leaves: this.#leaves.slice(), text };
  }

  #textOf(op: string, attributes: OpAttributes, inputs: readonly number[]): string {
    const sources = inputs.map((input) => (input < 0 ? `n${~input}` : `l${input} ${this.#leaves[input]}`));
    return `${op}${JSON.stringify(attributes)}${sources.join()}`;
  }

  /** Whether these inputs are those of the expected recording: of leaves also shape and type. */
  #areSame(known: readonly number[], inputs: readonly number[]): boolean {
    if (known.length !== inputs.length) return false;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i] as number;
      if (input !== known[i] || (input >= 0 && this.#leaves[input] !== this.#expected?.leaves[input])) return false;
    }
    return true;
  }
}

function hasAttributes(a: OpAttributes, b: OpAttributes): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSame(a[name], b[name]));
}

function isSame(a: OpAttributes[string], b: OpAttributes[string]): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
