// One training or inference step of a net, as every benchmark of them does it: hybridized, so run as a program.
import { autograd, loss, seed, Trainer, tensor, uniform } from '../lib/index.js';
import { type BenchModel, initialised } from './models.js';

export const tasks = ['training', 'inference'] as const;
export type Task = (typeof tasks)[number];

/** A function that does one step on random images, on the current device, and resolves when its result has been read. */
export function makeStep(model: BenchModel, task: Task, batch: number, eager = false): () => Promise<number> {
  seed(0);
  const net = initialised(model);
  if (!eager) net.hybridize();
  const lossFn = new loss.SoftmaxCrossEntropyLoss();
  const x = uniform([batch, ...model.imageShape]); // [batch, channels, height, width]
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % model.classes)); // [batch]
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });

  /** The batch's mean loss. */
  async function trainingStep(): Promise<number> {
    const losses = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [batch]
    losses.backward();
    trainer.step(batch);
    const values = (await losses.data()) as Float32Array;
    losses.dispose();
    return values.reduce((sum, value) => sum + value, 0) / batch;
  }

  /** The first score. */
  async function inferenceStep(): Promise<number> {
    const scores = net.forward(x); // [batch, classes]
    const values = await scores.data();
    scores.dispose();
    return values[0] as number;
  }
  return task === 'inference' ? inferenceStep : trainingStep;
}
