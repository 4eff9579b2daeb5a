// Programs that were planned, by what was recorded. Bounded: the one that was not used for longest goes first.
import type { PlannedProgram } from './planned-program.js';

const maxPrograms = 64;

/** Tells programs apart. Two strings, for the first is long and most often the very same one: joined it would be hashed at each step. */
export interface ProgramKey {
  /** Ops, wiring, leaves' shapes and types. */
  readonly ops: string;
  /** Which values are wanted. */
  readonly wanted: string;
}

interface Entry {
  program: PlannedProgram;
  key: ProgramKey;
}

export class ProgramCache {
  readonly #programs = new Map<string, Map<string, Entry>>(); // by ops, then by what is wanted
  readonly #byUse = new Set<Entry>(); // least recently used first

  get size(): number {
    return this.#byUse.size;
  }

  /** The program of this key, which is the latest used now; null where there is none. */
  find({ ops, wanted }: ProgramKey): PlannedProgram | null {
    const entry = this.#programs.get(ops)?.get(wanted);
    if (!entry) return null;
    this.#byUse.delete(entry);
    this.#byUse.add(entry);
    return entry.program;
  }

  add(key: ProgramKey, program: PlannedProgram): void {
    const entry = { program, key };
    const alike = this.#programs.get(key.ops) ?? new Map<string, Entry>();
    this.#programs.set(key.ops, alike.set(key.wanted, entry));
    this.#byUse.add(entry);
    if (this.size > maxPrograms) this.#removeOldest();
  }

  #removeOldest(): void {
    const [oldest] = this.#byUse as unknown as [Entry];
    const { program, key } = oldest;
    this.#byUse.delete(oldest);
    const alike = this.#programs.get(key.ops);
    alike?.delete(key.wanted);
    if (alike?.size === 0) this.#programs.delete(key.ops);
    program.dispose();
  }

  clear(): void {
    for (const { program } of this.#byUse) program.dispose();
    this.#programs.clear();
    this.#byUse.clear();
  }
}
