// A child process for the kill test: trains without end, with a checkpoint after every step, until it is killed. Argument: the folder.
import { cpu } from '../../lib/device.js';
import { type FitRun, fit as fitNet } from '../../lib/train/index.js';
import { fitProblem } from './fit-problem.js';

const device = cpu();
const { net, trainer, train } = fitProblem(device, 20_000); // files that take a while to write
const checkpoint = { folder: process.argv[2] as string, everySteps: 1 };
const handlers = [{ checkpointSaved: ({ step }: FitRun) => void process.stdout.write(`saved ${step}\n`) }];
await fitNet(net, trainer, {
  train,
  epochs: 100_000,
  device,
  checkpoint,
  resume: true,
  handlers,
  warn: (line) => console.log(`warning: ${line}`),
});
