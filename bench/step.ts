// Training or inference steps of the chapter's ResNet-18 in residua, timed one by one; prints one JSON line.
// node --import tsx bench/step.ts --task training --size 96 --batch 256 --steps 7 --device cpu --precision float32
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  autograd,
  Device,
  devices,
  init,
  loss,
  models,
  type Precision,
  seed,
  setDevice,
  setPrecision,
  setThreads,
  Trainer,
  tensor,
  uniform,
} from 'residua';
import type { StepRun } from './harness.js';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '96' },
    batch: { type: 'string', default: '256' },
    steps: { type: 'string', default: '7' },
    warmup: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    device: { type: 'string', default: 'cpu' },
    task: { type: 'string', default: 'training' },
    eager: { type: 'boolean', default: false },
    precision: { type: 'string', default: 'float32' },
  },
});
const [size, batch, steps, warmup] = [values.size, values.batch, values.steps, values.warmup].map(Number) as [
  number,
  number,
  number,
  number,
];

seed(0);
setThreads(Number(values.threads));
const device = new Device(values.device);
setDevice(device);
setPrecision(values.precision as Precision);
const net = models.chapterResNet18();
net.initialize({ init: new init.Xavier(), device });
const lossFn = new loss.SoftmaxCrossEntropyLoss();
const x = uniform([batch, 1, size, size]); // [batch, 1, size, size]
const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10)); // [batch]
net.forward(x); // settles the deferred shapes
if (!values.eager) net.hybridize();
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });

async function trainingStep(): Promise<number> {
  const losses = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [batch]
  losses.backward();
  trainer.step(batch);
  const values = (await losses.data()) as Float32Array;
  losses.dispose();
  return values.reduce((sum, value) => sum + value, 0) / batch;
}

/** Scores of the batch; returns the first one. */
async function inferenceStep(): Promise<number> {
  const scores = net.forward(x); // [batch, 10]
  const values = await scores.data();
  scores.dispose();
  return values[0] as number;
}

const step = values.task === 'inference' ? inferenceStep : trainingStep;
const seconds: number[] = [];
let lastLoss = 0;
const delay = monitorEventLoopDelay({ resolution: 5 });
let firstStepSeconds = 0;
for (let i = 0; i < warmup + steps; i++) {
  if (i === warmup) delay.enable();
  const start = performance.now();
  lastLoss = await step();
  if (i === 0) firstStepSeconds = performance.now() / 1000; // counted from the start of the process
  if (i >= warmup) seconds.push((performance.now() - start) / 1000);
}
delay.disable();
const eventLoopDelayMs = Math.max(0, delay.max / 1e6 - 5);
const details = devices().find(({ name }) => name === device.name)?.details ?? {};
const library = `residua on ${device.kind === 'cpu' ? details.library : JSON.stringify(details)}`;
const run: StepRun = {
  library,
  seconds,
  eventLoopDelayMs,
  firstStepSeconds,
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
  loss: lastLoss,
};
process.stdout.write(`${JSON.stringify(run)}\n`);
