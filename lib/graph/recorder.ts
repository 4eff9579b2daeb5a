// Records ops in place of running them, and runs them as one program when their values are wanted.
import { ConfigError } from '../errors.js';
import type { NativeBackend, NativeTensor, OpAttributes } from '../native.js';
import { borrow, giveBack } from './borrowed.js';
import type { OpTaker } from './op-taker.js';
import { type Node, type Program, updatedInputs, type ValueDesc } from './program.js';
import type { ProgramCache } from './program-cache.js';
import { RecordedBefore, type RecordedOp } from './recorded-before.js';
import { RecordedRun } from './recorded-run.js';
import type { RepeatedOp } from './tracer.js';
import { VirtualTensor } from './virtual-tensor.js';

/** A leaf of a recorded program: the tensor that was given, and another reference to it for its values. */
export interface Leaf {
  given: NativeTensor;
  values: NativeTensor;
}

/** A recording that is over. */
interface Recorded {
  leaves: NativeTensor[];
  ops: readonly RecordedOp[];
  text: string;
  /** Outputs that are still in use. */
  wanted: VirtualTensor[];
}

const unknown = 0x7fffffff; // no source has this number

/** What was recorded since the last flush, for one backend. */
export class Recorder implements OpTaker {
  /** Called after each op that was recorded. */
  onRecord: (() => void) | null = null;
  readonly #backend: NativeBackend;
  readonly #programs: ProgramCache;
  readonly #before = new RecordedBefore();
  #underway: RecordedRun | null = null;
  readonly #leaves: NativeTensor[] = []; // borrowed
  readonly #leafNumbers = new Map<NativeTensor, number>();
  readonly #updated = new Set<NativeTensor>(); // leaves that a recorded op changes
  readonly #made: ValueDesc[] = []; // values that ops make, by number
  readonly #outputs: VirtualTensor[] = []; // those of them that somebody was given

  constructor(backend: NativeBackend, programs: ProgramCache) {
    this.#backend = backend;
    this.#programs = programs;
  }

  get isEmpty(): boolean {
    return this.#before.isEmpty; // ops that only update make no values
  }

  /** Whether a recorded op is to change this tensor. */
  updates(native: NativeTensor): boolean {
    return this.#updated.has(native);
  }

  /** Records one op. Throws what running it would throw for its shapes and types. */
  record(op: string, attributes: OpAttributes, inputs: readonly NativeTensor[]): VirtualTensor[] {
    const sources = inputs.map((input) => this.#sourceOf(input));
    const first = this.#made.length;
    const { outputs } = this.#next(op, attributes, sources);
    for (const position of updatedInputs(op, attributes, inputs.length))
      this.#updated.add(inputs[position] as NativeTensor);
    this.onRecord?.();
    return outputs.map((desc, position) => this.#output(first + position, desc));
  }

  /**
   * Records traced ops. `natives`: as long as there are traced values; all that the ops read and do not make, by number. Those that they
   * make and that outlive them are added, the others become no tensors.
   */
  repeat(ops: readonly RepeatedOp[], natives: (NativeTensor | undefined)[]): void {
    const sources = new Int32Array(natives.length).fill(unknown); // by traced number
    for (const { op, attributes, inputs, outputs, kept, updated } of ops) {
      const given: number[] = [];
      for (const value of inputs) {
        if (sources[value] === unknown) sources[value] = this.#sourceOf(natives[value] as NativeTensor);
        given.push(sources[value] as number);
      }
      const first = this.#made.length;
      const noted = this.#next(op, attributes, given);
      for (const value of updated) this.#updated.add(natives[value] as NativeTensor);
      for (let i = 0; i < outputs.length; i++) {
        const value = outputs[i] as number;
        sources[value] = ~(first + i);
        if (kept[i]) natives[value] = this.#output(first + i, noted.outputs[i] as ValueDesc);
      }
    }
  }

  #next(op: string, attributes: OpAttributes, sources: readonly number[]): RecordedOp {
    const noted = this.#before.next(op, attributes, sources, () =>
      this.#backend.infer(
        op,
        attributes,
        sources.map((source) => this.#descOf(source)),
      ),
    );
    for (const desc of noted.outputs) this.#made.push(desc);
    return noted;
  }

  #descOf(source: number): ValueDesc {
    return (source < 0 ? this.#made[~source] : this.#leaves[source]) as ValueDesc;
  }

  #output(number: number, desc: ValueDesc): VirtualTensor {
    const output = new VirtualTensor(this, number, desc);
    this.#outputs.push(output);
    return output;
  }

  #sourceOf(input: NativeTensor): number {
    if (input instanceof VirtualTensor) {
      if (input.isPending && input.recorder === this) return ~input.number;
      return this.#leaf(input.real(), input);
    }
    return this.#leaf(input, input);
  }

  #leaf(real: NativeTensor, identity: NativeTensor): number {
    const known = this.#leafNumbers.get(identity);
    if (known !== undefined) return known;
    const number = this.#leaves.length;
    borrow(real);
    this.#leaves.push(real);
    this.#before.leaf(described(real));
    this.#leafNumbers.set(identity, number);
    return number;
  }

  /** The run of what was recorded before, while its program is planned in turns of the event loop. */
  get underway(): RecordedRun | null {
    return this.#underway;
  }

  /** Whoever comes next on the backend must see what was recorded before: it runs now. What fails is told to who waits for it. */
  finishUnderway(): void {
    this.#underway?.run();
  }

  /**
   * Runs what was recorded; null where nothing was. Every tensor of it that is still in use has its values afterwards, or its error.
   * `gently`: a program that is new is planned in turns of the event loop, and runs then. `tune`: see RecordedRun.
   */
  flush({ gently = false, tune = true } = {}): RecordedRun | null {
    if (!gently) this.finishUnderway();
    const run = this.#end(tune);
    if (!run) return null;
    if (gently && run.isNew) {
      this.#underway = run;
      run.afterwards(() => {
        this.#underway = null;
      });
      void run.runGently();
    } else {
      run.run();
      run.throwFailure();
    }
    return run;
  }

  /** Ends the recording. */
  #end(tune: boolean): RecordedRun | null {
    if (this.isEmpty) {
      this.#forgetRefused();
      return null;
    }
    const identities = [...this.#leafNumbers.keys()];
    const { leaves, ops, text, wanted } = this.#clear();
    const input = described(leaves[0]);
    const key = { ops: text, wanted: wanted.map(({ number }) => number).join() };
    const recorded = { key, input, leaves, identities, wanted, toProgram: () => toProgram(leaves, ops, wanted) };
    return new RecordedRun(this.#backend, this.#programs, recorded, tune);
  }

  /** What was recorded, which is not run: its tensors have no values. The caller disposes the leaves' values. */
  take(): { program: Program; leaves: Leaf[] } {
    const given = [...this.#leafNumbers.keys()];
    const { leaves, ops, wanted } = this.#clear();
    const program = toProgram(leaves, ops, wanted);
    for (const tensor of wanted) tensor.fail(new ConfigError('This tensor was recorded without being computed.'));
    const taken = leaves.map((leaf, i) => ({ given: given[i] as NativeTensor, values: leaf.share() }));
    giveBack(leaves);
    return { program, leaves: taken };
  }

  /** What the first op reads is left over where that was refused. */
  #forgetRefused(): void {
    giveBack(this.#clear().leaves);
  }

  /** What was recorded, and its outputs that are still in use. The lists are emptied, not made anew: code that fills them stays optimised. */
  #clear(): Recorded {
    const wanted = this.#outputs.filter((tensor) => tensor.isPending);
    const leaves = this.#leaves.slice();
    this.#leaves.length = 0;
    this.#leafNumbers.clear();
    this.#updated.clear();
    this.#made.length = 0;
    this.#outputs.length = 0;
    return { ...this.#before.end(), leaves, wanted };
  }
}

const texts = new WeakMap<NativeTensor, string>(); // asking a native tensor takes longer

/** Shape and type. */
function described(native?: NativeTensor): string {
  if (!native) return 'nothing';
  const text = texts.get(native) ?? `${native.dtype} [${native.shape.join()}]`;
  texts.set(native, text);
  return text;
}

function toProgram(
  leaves: readonly NativeTensor[],
  ops: readonly RecordedOp[],
  wanted: readonly VirtualTensor[],
): Program {
  const leafCount = leaves.length;
  const values: ValueDesc[] = leaves.map(({ shape, dtype }) => ({ shape, dtype }));
  const nodes: Node[] = ops.map(({ op, attributes, inputs, outputs }) => ({
    op,
    attributes,
    inputs: inputs.map((source) => (source < 0 ? leafCount + ~source : source)),
    outputs: outputs.map(({ shape, dtype }) => values.push({ shape, dtype }) - 1),
  }));
  return { leafCount, values, nodes, outputs: wanted.map(({ number }) => leafCount + number) };
}
