// Records ops in place of running them, and runs them as one program when their values are wanted.
import { ConfigError } from '../errors.js';
import type { NativeBackend, NativeTensor, OpAttributes } from '../native.js';
import { borrow, giveBack } from './borrowed.js';
import { type Node, type Program, updatedInputs, type ValueDesc } from './program.js';
import type { ProgramCache } from './program-cache.js';
import { RecordedBefore } from './recorded-before.js';
import { RecordedRun } from './recorded-run.js';
import { VirtualTensor } from './virtual-tensor.js';

/** A leaf of a recorded program: the tensor that was given, and another reference to it for its values. */
export interface Leaf {
  given: NativeTensor;
  values: NativeTensor;
}

/** What was recorded since the last flush, for one backend. */
export class Recorder {
  /** Called after each op that was recorded. */
  onRecord: (() => void) | null = null;
  readonly #backend: NativeBackend;
  readonly #programs: ProgramCache;
  readonly #before = new RecordedBefore();
  #underway: RecordedRun | null = null;
  #leaves: NativeTensor[] = []; // borrowed
  #leafTexts: string[] = []; // number, shape and type
  #leafNumbers = new Map<NativeTensor, number>();
  #updated = new Set<NativeTensor>(); // leaves that a recorded op changes
  #nodes: { op: string; attributes: OpAttributes; inputs: Source[]; outputs: VirtualTensor[] }[] = [];

  constructor(backend: NativeBackend, programs: ProgramCache) {
    this.#backend = backend;
    this.#programs = programs;
  }

  get isEmpty(): boolean {
    return this.#nodes.length === 0;
  }

  /** Whether a recorded op is to change this tensor. */
  updates(native: NativeTensor): boolean {
    return this.#updated.has(native);
  }

  /** Records one op. Throws what running it would throw for its shapes and types. */
  record(op: string, attributes: OpAttributes, inputs: readonly NativeTensor[]): VirtualTensor[] {
    const sources = inputs.map((input) => this.#sourceOf(input));
    const infer = (): ValueDesc[] => this.#backend.infer(op, attributes, inputs);
    const known = this.#before.next(op, attributes, sources.map(this.#textOf).join(), infer);
    const outputs = known.outputs.map((desc, position) => new VirtualTensor(this, this.#nodes.length, position, desc));
    for (const position of updatedInputs(op, attributes, inputs.length))
      this.#updated.add(inputs[position] as NativeTensor);
    this.#nodes.push({ op, attributes, inputs: sources, outputs });
    this.onRecord?.();
    return outputs;
  }

  readonly #textOf = (source: Source): string =>
    typeof source === 'number' ? (this.#leafTexts[source] as string) : `n${source.madeBy}.${source.position}`;

  #sourceOf(input: NativeTensor): Source {
    if (input instanceof VirtualTensor) {
      if (input.isPending && input.recorder === this) return input;
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
    this.#leafTexts.push(`l${number} ${described(real)}`);
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
    const [leaves, nodes] = [this.#leaves, this.#nodes];
    const identities = [...this.#leafNumbers.keys()];
    const key = this.#keyWithOutputs();
    const input = described(leaves[0]);
    this.#clear();
    const wanted = nodes.flatMap((node) => node.outputs).filter((tensor) => tensor.isPending);
    const recorded = { key, input, leaves, identities, wanted, toProgram: () => toProgram(leaves, nodes, wanted) };
    return new RecordedRun(this.#backend, this.#programs, recorded, tune);
  }

  /** What was recorded, which is not run: its tensors have no values. The caller disposes the leaves' values. */
  take(): { program: Program; leaves: Leaf[] } {
    const [leaves, nodes] = [this.#leaves, this.#nodes];
    const given = [...this.#leafNumbers.keys()];
    this.#clear();
    const wanted = nodes.flatMap((node) => node.outputs).filter((tensor) => tensor.isPending);
    const program = toProgram(leaves, nodes, wanted);
    for (const tensor of wanted) tensor.fail(new ConfigError('This tensor was recorded without being computed.'));
    const taken = leaves.map((leaf, i) => ({ given: given[i] as NativeTensor, values: leaf.share() }));
    giveBack(leaves);
    return { program, leaves: taken };
  }

  /** Tells programs apart: ops, wiring, leaves' shapes and types, and which values are wanted. */
  #keyWithOutputs(): string {
    const ops = this.#before.ops.map(({ text }) => text);
    const wanted = this.#nodes.map(({ outputs }) => outputs.map((tensor) => (tensor.isPending ? 1 : 0)).join(''));
    return [...ops, ...wanted].join(';');
  }

  /** What the first op reads is left over where that was refused. */
  #forgetRefused(): void {
    giveBack(this.#leaves);
    this.#clear();
  }

  #clear(): void {
    this.#before.end();
    this.#leaves = [];
    this.#leafTexts = [];
    this.#leafNumbers = new Map();
    this.#updated = new Set();
    this.#nodes = [];
  }
}

/** Where an input comes from: a leaf, by number, or an earlier op. */
type Source = number | VirtualTensor;

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
  recorded: readonly { op: string; attributes: OpAttributes; inputs: Source[]; outputs: VirtualTensor[] }[],
  wanted: readonly VirtualTensor[],
): Program {
  const values: ValueDesc[] = leaves.map(({ shape, dtype }) => ({ shape, dtype }));
  const numbers = new Map<VirtualTensor, number>();
  const nodes: Node[] = recorded.map(({ op, attributes, inputs, outputs }) => {
    const sources = inputs.map((source) => (typeof source === 'number' ? source : (numbers.get(source) as number)));
    const made = outputs.map((tensor) => {
      numbers.set(tensor, values.length);
      return values.push({ shape: tensor.shape, dtype: tensor.dtype }) - 1;
    });
    return { op, attributes, inputs: sources, outputs: made };
  });
  return {
    leafCount: leaves.length,
    values,
    nodes,
    outputs: wanted.map((tensor) => numbers.get(tensor) as number),
  };
}
