// A small run of fit with a TensorBoardLog, whole or as if killed, and the event files it leaves.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cpu, type FitHandler, type FitOptions, fit as fitNet, TensorBoardLog } from '../../../lib/index.js';
import { fitProblem } from '../fit-problem.js';
import { type ReadEvent, readEvents } from './event-file.js';

export type RunOptions = Partial<FitOptions> & {
  /** The process is as if killed after this step. */
  stopAfter?: number;
};

/** Two epochs of 7 steps on the CPU. */
export async function loggedRun(folder: string, options: RunOptions = {}) {
  const { stopAfter, ...rest } = options;
  const device = cpu();
  const { net, trainer, train, validation } = fitProblem(device);
  const killer: FitHandler = {
    batchEnd: (_, { step }) => {
      if (step === stopAfter) throw new Error('killed');
    },
  };
  const handlers = [...(rest.handlers ?? [new TensorBoardLog(folder, { everySteps: 2 })]), killer];
  const finished = fitNet(net, trainer, { train, validation, epochs: 2, device, ...rest, handlers });
  const history = await finished.catch((error: Error) => {
    if (error.message !== 'killed') throw error;
  });
  return { history, net };
}

/** By file, in the order in which they are read. */
export async function readFiles(folder: string): Promise<ReadEvent[][]> {
  return (await readdir(folder)).sort().map((name) => readEvents(join(folder, name)));
}
