// The program of a worker thread: makes samples for worker-pool.ts.
import { parentPort } from 'node:worker_threads';
import { makeSamples, type SampleJob } from './sample.js';
import type { WorkerAnswer } from './worker-pool.js';

parentPort?.on('message', async ({ id, job }: { id: number; job: SampleJob }) => {
  const answer = await makeSamples(job).then(
    (broken): WorkerAnswer => ({ id, broken }),
    (error: Error): WorkerAnswer => ({ id, failed: error.message }),
  );
  parentPort?.postMessage(answer);
});
