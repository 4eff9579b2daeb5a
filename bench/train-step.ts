// One training run of the chapter's ResNet-18 in residua, timed step by step; prints one JSON line.
// node --import tsx bench/train-step.ts --size 96 --batch 256 --steps 7
import { parseArgs } from 'node:util';
import { autograd, cpu, devices, init, loss, models, seed, setThreads, Trainer, tensor, uniform } from 'residua';
import type { StepRun } from './harness.js';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '96' },
    batch: { type: 'string', default: '256' },
    steps: { type: 'string', default: '7' },
    warmup: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
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
const net = models.chapterResNet18();
net.initialize({ init: new init.Xavier(), device: cpu() });
const lossFn = new loss.SoftmaxCrossEntropyLoss();
const x = uniform([batch, 1, size, size]); // [batch, 1, size, size]
const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10)); // [batch]
net.forward(x); // settles the deferred shapes
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });

async function step(): Promise<number> {
  const losses = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [batch]
  losses.backward();
  trainer.step(batch);
  const values = (await losses.data()) as Float32Array;
  losses.dispose();
  return values.reduce((sum, value) => sum + value, 0) / batch;
}

const seconds: number[] = [];
let lastLoss = 0;
for (let i = 0; i < warmup + steps; i++) {
  const start = performance.now();
  lastLoss = await step();
  if (i >= warmup) seconds.push((performance.now() - start) / 1000);
}
const library = `residua on ${devices()[0]?.details.library}`;
const run: StepRun = { library, seconds, peakRssBytes: process.resourceUsage().maxRSS * 1024, loss: lastLoss };
process.stdout.write(`${JSON.stringify(run)}\n`);
