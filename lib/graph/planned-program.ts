// A program as it runs: what depends on parameters alone is computed when they change, the rest each time.
import type { NativeBackend, NativeProgram, NativeTensor, PlanningProgress } from '../native.js';
import { compile, type Program } from './program.js';
import { splitPrologue } from './prologue.js';
import { stampText } from './versions.js';

export class PlannedProgram {
  readonly #prologue: NativeProgram | null;
  readonly #reads: readonly number[];
  readonly #main: NativeProgram;
  #prepared: NativeTensor[] = []; // outputs of the prologue
  #stamp = '';

  /** For leaves like these, to be planned; `identities` are the tensors that these share. */
  constructor(
    backend: NativeBackend,
    program: Program,
    leaves: readonly NativeTensor[],
    identities: readonly NativeTensor[],
  ) {
    const { prologue, reads, main } = splitPrologue(program);
    this.#reads = reads;
    this.#prologue = prologue.nodes.length > 0 ? compile(backend, prologue, leaves) : null;
    this.#prepare(leaves, identities);
    this.#main = compile(backend, main, [...leaves, ...this.#prepared], 0);
  }

  /** Goes on planning for so many milliseconds, or to the end; tells how far it is. */
  plan(leaves: readonly NativeTensor[], milliseconds?: number): PlanningProgress {
    return this.#main.plan([...leaves, ...this.#prepared], milliseconds);
  }

  /** Enqueues one run; returns the outputs. */
  run(leaves: readonly NativeTensor[], identities: readonly NativeTensor[]): NativeTensor[] {
    this.#prepare(leaves, identities);
    return this.#main.run([...leaves, ...this.#prepared]);
  }

  /** Runs the prologue where a tensor that it reads is another one than before, or has been updated. */
  #prepare(leaves: readonly NativeTensor[], identities: readonly NativeTensor[]): void {
    if (!this.#prologue) return;
    const stamp = stampText(this.#reads.map((leaf) => identities[leaf] as NativeTensor));
    if (stamp === this.#stamp) return;
    const prepared = this.#prologue.run(leaves);
    for (const tensor of this.#prepared) tensor.dispose();
    this.#prepared = prepared;
    this.#stamp = stamp;
  }

  /** Bytes that are held while the program is kept: the arenas of both parts, and what the first hands to the second. */
  get plannedBytes(): { arena: number; lowerBound: number; prologueArena: number; prepared: number } {
    return {
      arena: this.#main.arenaBytes,
      lowerBound: this.#main.lowerBoundBytes,
      prologueArena: this.#prologue?.arenaBytes ?? 0,
      prepared: this.#prepared.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  dispose(): void {
    for (const tensor of this.#prepared) tensor.dispose();
    this.#prologue?.dispose();
    this.#main.dispose();
  }
}
