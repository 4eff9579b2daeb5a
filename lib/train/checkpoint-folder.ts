// The checkpoints of a run: which is the newest good one, which are kept.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.js';
import {
  type FitState,
  readCheckpoint,
  restoreCheckpoint,
  type Trained,
  temporaryPrefix,
  writeCheckpoint,
} from './checkpoint.js';

const namePattern = /^step-\d{9}(\.\d+)?$/; // .2: the second one after the same step

/** Oldest first. */
const byAge = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

/** Folders 'step-000000123' in one folder: the last `keepLast` are kept, and the one with the best score. */
export class CheckpointFolder {
  readonly folder: string;
  readonly #keepLast: number;
  readonly #scores = new Map<string, number>(); // of checkpoints that have one

  constructor(folder: string, keepLast: number) {
    this.folder = folder;
    this.#keepLast = keepLast;
  }

  /** Makes the folder and removes what a killed run left half written. */
  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const name of await readdir(this.folder))
      if (name.startsWith(temporaryPrefix)) await rm(join(this.folder, name), { recursive: true, force: true });
    for (const name of await this.names()) {
      const state = await readCheckpoint(join(this.folder, name)).catch(() => null); // told when it is to be used
      if (typeof state?.score === 'number') this.#scores.set(name, state.score);
    }
  }

  /** Names of the checkpoints, oldest first. */
  async names(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => []); // no folder: no checkpoints
    return names.filter((name) => namePattern.test(name)).sort(byAge);
  }

  /** A new run beside the checkpoints of another would be resumed from these. */
  async checkEmpty(): Promise<void> {
    const { length } = await this.names();
    if (length === 0) return;
    throw new CheckpointError(
      `${this.folder}: expected no checkpoints where a run begins, found ${length}. Pass resume: true to go on from them, or give another folder.`,
      { folder: this.folder, expected: 0, found: length },
    );
  }

  /** Name of the one with the best score; null where none has one. Of equals the first. */
  get best(): string | null {
    const sorted = [...this.#scores].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
    return sorted[0]?.[0] ?? null;
  }

  /** Writes one and removes those that are not kept. Returns its path. */
  async write(trained: Trained, state: FitState): Promise<string> {
    const name = await this.#unusedName(state.step);
    const path = join(this.folder, name);
    await writeCheckpoint(path, trained, state);
    if (state.score !== null) this.#scores.set(name, state.score);
    const { best } = this;
    const old = (await this.names()).filter((other) => other !== best && other !== name);
    for (const gone of old.slice(0, Math.max(0, old.length - (this.#keepLast - 1)))) {
      this.#scores.delete(gone);
      await this.#remove(gone);
    }
    return path;
  }

  /** Renamed first: a process killed on the way leaves no half of a checkpoint under its name. */
  async #remove(name: string): Promise<void> {
    const going = join(this.folder, `${temporaryPrefix}${name}-removed`);
    await rename(join(this.folder, name), going);
    await rm(going, { recursive: true, force: true });
  }

  /** None is ever written over: what a killed process was to replace would be lost. */
  async #unusedName(step: number): Promise<string> {
    const name = `step-${String(step).padStart(9, '0')}`;
    const names = await this.names();
    if (!names.some((other) => other.startsWith(name))) return name;
    const numbers = names.filter((other) => other.startsWith(`${name}.`)).map((other) => Number(other.split('.')[1]));
    return `${name}.${Math.max(1, ...numbers) + 1}`;
  }

  /**
   * Restores the newest checkpoint that is whole, of those older than `before`, where that is given; `onDamaged` hears of newer ones that are
   * not. Null where there are no checkpoints, or no older one is whole. Throws CheckpointError where none at all is whole.
   */
  async restoreNewest(
    trained: Trained,
    onDamaged: (error: CheckpointError) => void,
    before: string | null = null,
  ): Promise<{ name: string; path: string; state: FitState } | null> {
    const all = await this.names();
    const names = before === null ? all : all.filter((name) => byAge(name, before) < 0);
    for (const name of names.reverse()) {
      const path = join(this.folder, name);
      try {
        await readCheckpoint(path);
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        onDamaged(error);
        continue;
      }
      return { name, path, state: await restoreCheckpoint(path, trained) };
    }
    if (names.length === 0 || before !== null) return null;
    throw new CheckpointError(
      `${this.folder}: expected a checkpoint that is whole, found ${names.length} damaged ones. Start again without resume, or with another folder.`,
      { folder: this.folder, found: names.length },
    );
  }
}
