// Memory over many training steps of a script with no tidy or dispose of its own: RSS and live tensors.
// What garbage collection has not yet taken makes RSS rise and fall by a few MB, so growth is measured between the
// medians of the first and the last fifth of the steps. Writes bench/results/memory.json. [--steps 500] [--size 28] [--batch 64]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { autograd, init, loss, memory, models, seed, Trainer, tensor, uniform } from 'residua';
import { median, writeResult } from './harness.js';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '500' },
    size: { type: 'string', default: '28' },
    batch: { type: 'string', default: '64' },
  },
});
const [steps, size, batch] = [values.steps, values.size, values.batch].map(Number) as [number, number, number];
const warmup = 100;
const interval = 5; // steps between two samples

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
  if (i >= warmup && (i - warmup) % interval === 0) {
    const { tensors, bytes } = memory();
    samples.push({ step: i - warmup, rssMB: rss() / 1e6, tensors, tensorMB: bytes / 1e6 });
  }
}

const fifth = Math.floor(samples.length / 5);
/** Medians of the first and of the last fifth of the samples, and the growth between them. */
function growthOf(name: 'rssMB' | 'tensors' | 'tensorMB') {
  const values = samples.map((sample) => sample[name]);
  const [first, last] = [median(values.slice(0, fifth)), median(values.slice(-fifth))];
  return {
    first: round(first),
    last: round(last),
    growth: Number((last / first - 1).toFixed(4)),
    max: round(Math.max(...values)),
  };
}
const round = (value: number): number => Number(value.toFixed(1));

const result = { rssMB: growthOf('rssMB'), tensors: growthOf('tensors'), tensorMB: growthOf('tensorMB') };
for (const [name, { first, last, growth, max }] of Object.entries(result))
  process.stdout.write(
    `${name.padEnd(8)}  first ${first}  last ${last}  growth ${(growth * 100).toFixed(2)}%  max ${max}\n`,
  );
writeResult('memory', { steps, warmup, size, batch, ...result });
