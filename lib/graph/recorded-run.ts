// One run of what was recorded. Where its program is new it is planned first: at once, or a little in each turn of the event loop.
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { NativeBackend, NativeTensor, PlanningProgress } from '../native.js';
import { giveBack } from './borrowed.js';
import { optimise, targetOf } from './optimise.js';
import { PlannedProgram } from './planned-program.js';
import type { Program } from './program.js';
import type { ProgramCache, ProgramKey } from './program-cache.js';
import { withoutTuning } from './tuning.js';
import type { VirtualTensor } from './virtual-tensor.js';

/** What was recorded. */
export interface Recorded {
  /** Equal for what one program computes. */
  key: ProgramKey;
  /** Shape and type of the first tensor that it reads. */
  input: string;
  /** Called where the program is new. */
  toProgram(): Program;
  /** What it reads, borrowed, and the tensors that were given for them. */
  leaves: readonly NativeTensor[];
  identities: readonly NativeTensor[];
  /** Its outputs, in order. */
  wanted: readonly VirtualTensor[];
}

/** Who waits for one of the outputs. */
interface Reader {
  output: VirtualTensor;
  use(real: NativeTensor): void;
  fail(error: unknown): void;
}

/** How long planning takes in one turn of the event loop, in milliseconds. Tests have an op a turn with 0. */
export const slice = { milliseconds: 8 };
const timingMs = 5; // between two looks at algorithms that are being timed: looking takes a core from them

export class RecordedRun {
  /** Whether its program has to be planned. */
  readonly isNew: boolean;
  readonly #backend: NativeBackend;
  readonly #programs: ProgramCache;
  readonly #recorded: Recorded;
  readonly #tune: boolean;
  #program: PlannedProgram | null;
  #isPlanned: boolean;
  #gentle: Promise<void> | null = null;
  #hasRun = false;
  #failed: { error: unknown } | null = null;
  #readers: Reader[] = [];
  #afterwards: (() => void)[] = [];

  /** `tune`: whether planning may choose algorithms by timing them. */
  constructor(backend: NativeBackend, programs: ProgramCache, recorded: Recorded, tune: boolean) {
    this.#backend = backend;
    this.#programs = programs;
    this.#recorded = recorded;
    this.#tune = tune;
    this.#program = programs.find(recorded.key);
    this.#isPlanned = this.#program !== null;
    this.isNew = !this.#isPlanned;
  }

  /** Shape and type of the first tensor that it reads. */
  get input(): string {
    return this.#recorded.input;
  }

  /** Runs it, having planned what is not planned yet. Its outputs have their values then, or the error of what failed. */
  run(): void {
    if (this.#hasRun) return;
    try {
      this.#plan();
      this.#enqueue();
    } catch (error) {
      this.#failed = { error };
      if (!this.#isPlanned) this.#program?.dispose();
      for (const tensor of this.#recorded.wanted) if (tensor.isPending) tensor.fail(error);
      for (const reader of this.#readers) reader.fail(error);
    }
    this.#hasRun = true;
    for (const then of this.#afterwards) then();
    giveBack(this.#recorded.leaves);
  }

  /** Plans it a little in each turn of the event loop, then runs it; `run()` may come first. */
  runGently(): Promise<void> {
    this.#gentle ??= this.#planGently();
    return this.#gentle;
  }

  async #planGently(): Promise<void> {
    while (!this.#hasRun) {
      const progress = this.#planSlice();
      if (progress === 'planned') break;
      await (progress === 'timing' ? setTimeout(timingMs) : setImmediate());
    }
    this.run();
  }

  /** Throws what failed. */
  throwFailure(): void {
    if (this.#failed) throw this.#failed.error;
  }

  /** Calls `use` with what a tensor is when it has run, before anything else is enqueued, though it be disposed by then. */
  whenRun<T>(native: NativeTensor, use: (real: NativeTensor) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const output = this.#recorded.wanted.find((tensor) => tensor === native);
      if (output) {
        this.#readers.push({ output, use: (real) => resolve(use(real)), fail: reject });
        return;
      }
      const shared = native.share();
      this.afterwards(() => {
        if (this.#failed) reject(this.#failed.error);
        else resolve(use(shared));
        shared.dispose();
      });
    });
  }

  /** Calls `then` when it has run or failed, before anything else is enqueued. */
  afterwards(then: () => void): void {
    this.#afterwards.push(then);
  }

  /** 'planned' also where planning fails: `run` tells. */
  #planSlice(): PlanningProgress {
    try {
      return this.#plan(slice.milliseconds);
    } catch {
      return 'planned';
    }
  }

  /** Plans for so many milliseconds, or to the end. */
  #plan(milliseconds?: number): PlanningProgress {
    if (this.#isPlanned) return 'planned';
    const plan = (): PlanningProgress => this.#planned().plan(this.#recorded.leaves, milliseconds);
    const progress = this.#tune ? plan() : withoutTuning(this.#backend, plan);
    this.#isPlanned = progress === 'planned';
    if (this.#isPlanned) this.#programs.add(this.#recorded.key, this.#planned());
    return progress;
  }

  #planned(): PlannedProgram {
    const { leaves, identities } = this.#recorded;
    this.#program ??= new PlannedProgram(
      this.#backend,
      optimise(this.#recorded.toProgram(), targetOf(this.#backend)),
      leaves,
      identities,
    );
    return this.#program;
  }

  #enqueue(): void {
    const { leaves, identities, wanted } = this.#recorded;
    const reals = this.#planned().run(leaves, identities);
    for (const { output, use } of this.#readers.splice(0)) use(reals[wanted.indexOf(output)] as NativeTensor);
    for (const [i, tensor] of wanted.entries()) {
      if (tensor.isPending) tensor.realize(reals[i] as NativeTensor);
      else reals[i]?.dispose(); // it was disposed while the program was planned
    }
  }
}
