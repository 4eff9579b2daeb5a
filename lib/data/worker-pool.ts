// Worker threads that make samples. They start at the first job, do not keep the process alive while idle, and end with the pool.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DataError, DisposedError } from '../errors.js';
import type { BrokenSample, SampleJob } from './sample.js';

/** A worker's answer to a job. */
export type WorkerAnswer = { id: number } & ({ broken: BrokenSample[] } | { failed: string });

interface Pending {
  resolve: (broken: BrokenSample[]) => void;
  reject: (error: Error) => void;
}

interface Member {
  thread: Worker;
  /** Jobs under way, by number. */
  pending: Map<number, Pending>;
}

const fromSource = import.meta.url.endsWith('.ts'); // in tests and under tsx
const workerFile = new URL(fromSource ? './sample-worker.ts' : './sample-worker.js', import.meta.url);

/** TypeScript needs a loader, which a thread does not inherit. */
function startThread(program: URL): Worker {
  if (!program.pathname.endsWith('.ts')) return new Worker(program, { execArgv: [] }); // not all of the process's suit a thread
  const loader = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  const start = `import('${pathToFileURL(loader)}').then(({ register }) => { register(); return import('${program}'); });`;
  return new Worker(start, { eval: true });
}

export class WorkerPool {
  readonly #count: number;
  readonly #program: URL;
  #members: Member[] = [];
  #jobs = 0;
  #disposed = false;

  /** `program`: what the threads run. */
  constructor(count: number, program: URL = workerFile) {
    this.#count = count;
    this.#program = program;
  }

  /** Number of threads that jobs are spread over. */
  get count(): number {
    return this.#count;
  }

  /** Gives the job to the worker with the fewest. Rejected with a DataError where the worker fails or dies. */
  run(job: SampleJob): Promise<BrokenSample[]> {
    if (this.#disposed) return Promise.reject(new DisposedError("The DataLoader's workers were disposed."));
    const member = this.#leastBusy();
    const id = this.#jobs++;
    return new Promise((resolve, reject) => {
      member.thread.postMessage({ id, job });
      if (member.pending.size === 0) member.thread.ref();
      member.pending.set(id, { resolve, reject });
    });
  }

  /** Ends the threads. Jobs under way are rejected. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const members = this.#members;
    this.#members = [];
    await Promise.all(members.map(({ thread }) => thread.terminate()));
  }

  #leastBusy(): Member {
    if (this.#members.length < this.#count) this.#members.push(this.#start());
    return this.#members.reduce((least, member) => (member.pending.size < least.pending.size ? member : least));
  }

  #start(): Member {
    const thread = startThread(this.#program);
    const member: Member = { thread, pending: new Map() };
    let cause: unknown;
    thread.unref();
    thread.on('message', (answer: WorkerAnswer) => settle(member, answer));
    thread.on('error', (error) => {
      cause = error;
    });
    thread.on('exit', (status) => {
      this.#members = this.#members.filter((other) => other !== member);
      for (const { reject } of member.pending.values()) reject(this.#deathOf(status, cause));
      member.pending.clear();
    });
    return member;
  }

  #deathOf(status: number, cause: unknown): Error {
    if (this.#disposed) return new DisposedError("The DataLoader's workers were disposed.");
    const reason = cause === undefined ? `it ended with status ${status}` : (cause as Error).message;
    return new DataError(`A data worker died while it made a batch: ${reason}.`, { status, found: reason }, { cause });
  }
}

function settle(member: Member, answer: WorkerAnswer): void {
  const pending = member.pending.get(answer.id);
  member.pending.delete(answer.id);
  if (member.pending.size === 0) member.thread.unref();
  if ('broken' in answer) pending?.resolve(answer.broken);
  else pending?.reject(new DataError(`A data worker failed: ${answer.failed}.`, { found: answer.failed }));
}
