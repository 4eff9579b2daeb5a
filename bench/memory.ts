// Memory over many training steps of a script with no tidy or dispose of its own: RSS and live tensors.
// What garbage collection has not yet taken makes RSS rise and fall by a few MB, so growth is measured between the
// medians of the first and the last fifth of the steps. Writes bench/results/memory.json. [--steps 500] [--size 28] [--batch 64]
// Before that: the peak of the memory plan of each program of --model's step, and what the process uses. [--model r18@96] [--plan-batch 256]
import { autograd, init, loss, memory, models, seed, Trainer, tensor, uniform } from '../lib/index.js';
import { integer, parseOptions } from './arguments.js';
import { median, processBytes, runScript, writeResult } from './harness.js';
import { tasks } from './make-step.js';
import type { MemoryPlan } from './memory/plan.js';
import { modelOf } from './models.js';

const values = parseOptions({
  steps: { type: 'string', default: '500' },
  size: { type: 'string', default: '28' },
  batch: { type: 'string', default: '64' },
  model: { type: 'string', default: 'r18@96' },
  'plan-batch': { type: 'string', default: '256' },
});
const [steps, size, batch] = [
  integer('steps', values.steps),
  integer('size', values.size),
  integer('batch', values.batch),
];
const planBatch = integer('plan-batch', values['plan-batch']);
const plans = tasks.flatMap((task) =>
  ['float32', 'bfloat16'].map((precision) => planOf(modelOf(values.model).name, task, planBatch, precision)),
);

/** What the programs of a step plan for and what the process uses, in a process of its own. */
function planOf(model: string, task: string, n: number, precision: string): MemoryPlan {
  const outcome = runScript<MemoryPlan>('memory/plan.ts', [
    ...['--model', model, '--task', task, '--batch', String(n), '--precision', precision],
  ]);
  if ('failed' in outcome) throw new Error(`The memory plan of ${model} failed: ${outcome.failed}`);
  const { arenaMB, lowerBoundMB, tensorsMB, rssBeforeMB, rssMB, peakRssMB } = outcome.result;
  process.stdout.write(
    `${model} ${task}, batch ${n}, ${precision}: planned peak ${arenaMB.join(' + ')} MB (at least ${lowerBoundMB.join(' + ')}), ` +
      `tensors ${tensorsMB} MB; process ${rssMB} MB, ${rssBeforeMB} of them before, at most ${peakRssMB}\n`,
  );
  return outcome.result;
}

const warmup = 100;
const interval = 5; // steps between two samples

seed(0);
const net = models.chapterResNet18();
net.initialize({ init: new init.Xavier() });
const lossFn = new loss.SoftmaxCrossEntropyLoss();
net.forward(uniform([1, 1, size, size]));
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });

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
    samples.push({ step: i - warmup, rssMB: processBytes('VmRSS') / 1e6, tensors, tensorMB: bytes / 1e6 });
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
writeResult('memory', { steps, warmup, size, batch, ...result, plans });
