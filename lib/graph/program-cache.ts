// Programs that were planned, by what was recorded. Bounded: the one that was not used for longest goes first.
import type { PlannedProgram } from './planned-program.js';

const maxPrograms = 64;

export class ProgramCache {
  readonly #programs = new Map<string, PlannedProgram>(); // least recently used first

  get size(): number {
    return this.#programs.size;
  }

  /** The program of this key, which is the latest used now; null where there is none. */
  find(key: string): PlannedProgram | null {
    const program = this.#programs.get(key);
    if (!program) return null;
    this.#programs.delete(key);
    this.#programs.set(key, program);
    return program;
  }

  add(key: string, program: PlannedProgram): void {
    this.#programs.set(key, program);
    if (this.#programs.size > maxPrograms) this.#removeOldest();
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
