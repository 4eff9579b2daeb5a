// Memory over many training steps of a script with no tidy or dispose of its own: RSS and live tensors.
// Writes bench/results/memory.json. [--steps 500] [--size 28] [--batch 64]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { autograd, init, loss, memory, models, seed, Trainer, tensor, uniform } from 'residua';
import { writeResult } from './harness.js';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '500' },
    size: { type: 'string', default: '28' },
    batch: { type: 'string', default: '64' },
  },
});
const [steps, size, batch] = [values.steps, values.size, values.batch].map(Number) as [number, number, number];
const warmup = 50;

seed(0);
const net = models.chapterResNet18();
net.initialize({ init: new init.Xavier() });
const lossFn = new loss.SoftmaxCrossEntropyLoss();
net.forward(uniform([1, 1, size, size]));
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });

const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;

const samples: { step: number; rssMB: number; tensors: number; tensorMB: number }[] = [];
for (let i = 0; i <= warmup + steps; i++) {
  const x = uniform([batch, 1, size, size]); // [batch, 1, size, size]; left to garbage collection
  const labels = tensor(Int32Array.from({ length: batch }, (_, j) => j % 10)); // [batch]
  const losses = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [batch]
  losses.backward();
  trainer.step(batch);
  await losses.data();
  if (i >= warmup && (i - warmup) % 50 === 0) {
    const { tensors, bytes } = memory();
    samples.push({ step: i - warmup, rssMB: Math.round(rss() / 1e6), tensors, tensorMB: Math.round(bytes / 1e6) });
    process.stdout.write(`${JSON.stringify(samples.at(-1))}\n`);
  }
}
const growth = samples.at(-1)!.rssMB / samples[0]!.rssMB - 1;
process.stdout.write(`RSS growth over ${steps} steps: ${(growth * 100).toFixed(2)}%\n`);
writeResult('memory', { steps, size, batch, rssGrowth: Number(growth.toFixed(4)), samples });
