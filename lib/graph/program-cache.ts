// Programs that were planned, by what was recorded. Bounded: the one that was not used for longest goes first.
import type { PlannedProgram } from './planned-program.js';

const maxPrograms = 64;

export class ProgramCache {
  readonly #programs = new Map<string, PlannedProgram>(); // least recently used first

  get size(): number {
    return this.#programs.size;
  }

  /** The program of this key; made where it is new. */
  get(key: string, make: () => PlannedProgram): PlannedProgram {
    const known = this.#programs.get(key);
    if (known) this.#programs.delete(key);
    const program = known ?? make();
    this.#programs.set(key, program);
    if (this.#programs.size > maxPrograms) this.#removeOldest();
    return program;
  }

  #removeOldest(): void {
    const [key, program] = this.#programs.entries().next().value as [string, PlannedProgram];
    this.#programs.delete(key);
    program.dispose();
  }

  clear(): void {
    for (const program of this.#programs.values()) program.dispose();
    this.#programs.clear();
  }
}
