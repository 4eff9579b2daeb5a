// metrics.jsonl: one line of JSON every few steps and after every epoch.
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CheckpointError } from '../errors.js';
import { writeFileAtomically } from '../interop/atomic-file.js';
import { checkInteger, checkOptions } from '../options.js';
import type { FitBatch, FitEpoch, FitHandler, FitNumericProblem } from './fit-handlers.js';
import type { FitRun } from './fit-run.js';

/** Lines have `event`: 'step', 'epoch' (without the numbers of each class) or 'numericProblem'. Throws CheckpointError where the file cannot be written. A resumed run drops the lines after the place it goes on from; those before are on the disk. */
export class MetricsLog implements FitHandler {
  readonly #file: string;
  readonly #everySteps: number;
  #handle: FileHandle | null = null;

  constructor(file: string, options: { everySteps?: number } = {}) {
    checkOptions('MetricsLog', options, ['everySteps']);
    this.#file = file;
    this.#everySteps = checkInteger('MetricsLog', 'everySteps', options.everySteps ?? 1, 1);
  }

  async trainBegin({ step, epoch }: FitRun): Promise<void> {
    const old = step === 0 ? '' : await readFile(this.#file, 'utf8').catch(() => ''); // the file may be gone: it begins here
    const kept = old.split('\n').filter((line) => isBefore(line, step, epoch));
    await this.#told(async () => {
      await mkdir(dirname(this.#file), { recursive: true });
      await writeFileAtomically(this.#file, [Buffer.from(kept.map((line) => `${line}\n`).join(''))]);
      this.#handle = await open(this.#file, 'a');
    });
  }

  async batchEnd(_run: FitRun, batch: FitBatch): Promise<void> {
    if (batch.step % this.#everySteps === 0) await this.#write({ event: 'step', ...batch });
  }

  async numericProblem(_run: FitRun, problem: FitNumericProblem): Promise<void> {
    await this.#write({ event: 'numericProblem', ...problem, loss: String(problem.loss) });
  }

  async epochEnd(_run: FitRun, epoch: FitEpoch): Promise<void> {
    const { validation } = epoch;
    const brief = validation && { ...validation, confusion: undefined, classes: undefined }; // history has them
    await this.#write({ event: 'epoch', ...epoch, validation: brief });
    await this.#handle?.datasync(); // a step is too short to wait for the disk
  }

  /** What a resumed run keeps must outlast a crash of the machine. */
  async checkpointSaved(): Promise<void> {
    await this.#handle?.datasync();
  }

  async trainEnd(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }

  async #write(line: object): Promise<void> {
    await this.#told(async () => this.#handle?.appendFile(`${JSON.stringify(line)}\n`));
  }

  async #told(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (cause) {
      const message = `${this.#file}: cannot be written: ${(cause as Error).message}.`;
      throw new CheckpointError(message, { file: this.#file }, { cause });
    }
  }
}

/**
 * Whether a run that has made so many steps and whole epochs had written this line. An epoch may have ended after the last of these steps and
 * still be to be ended again. What is no whole line never counts: a killed process may have left half of one.
 */
function isBefore(text: string, steps: number, epochs: number): boolean {
  try {
    const line = JSON.parse(text) as { event: string; step: number; epoch: number };
    return line.step <= steps && (line.event !== 'epoch' || line.epoch <= epochs);
  } catch {
    return false;
  }
}
