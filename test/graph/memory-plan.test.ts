// What `residua summary --graph` says of memory against what the process takes.
import { afterEach, expect, test } from 'vitest';
import { graphText } from '../../lib/cli/graph-text.js';
import { backendOf } from '../../lib/device.js';
import { clearPrograms, flushDeferred } from '../../lib/graph/deferral.js';
import { autograd, cpu, loss, nn, residualStage, type Tensor, Trainer, zeros } from '../../lib/index.js';
import { collectGarbage } from '../helpers/collect-garbage.js';

afterEach(flushDeferred);

const shape = [4, 3, 17, 15];
const backend = backendOf(cpu());

function makeNet(): nn.Sequential {
  const stem = [new nn.Conv2D(6, { kernelSize: 3 }), new nn.BatchNorm(), new nn.Activation('relu')];
  const net = new nn.Sequential().add(...stem, residualStage(8, 1), new nn.GlobalAvgPool2D(), new nn.Dense(5));
  net.initialize();
  return net;
}

/** Runs `fn` as a program for the first time; returns how many bytes of tensors it leaves, apart from those it gives. */
async function bytesHeldAfter(net: nn.Block, fn: () => Tensor): Promise<number> {
  net.forward(zeros(shape)).dispose();
  net.hybridize();
  await fn().data(); // layouts of parameters and gradients settle
  clearPrograms();
  await collectGarbage(); // what nothing reaches any more is not to go in between
  const before = backend.memory().bytes;
  const result = fn();
  await result.data();
  await collectGarbage();
  return backend.memory().bytes - before - result.native.bytes;
}

/** The numbers of bytes in the lines on the memory plan of a section. */
const printed = (text: string, title: string): number[] => {
  const section = text.slice(text.indexOf(`${title}, after the passes`));
  const line = section.match(
    /memory plan: peak (\d+) bytes \(no plan could do with less than (\d+)\)\n?(.*: (\d+) bytes)?/,
  );
  return [line?.[1], line?.[2], line?.[4] ?? '0'].map(Number);
};

test('an inference holds the arena and the folded weights that are printed', async () => {
  const net = makeNet();
  const [arena, lowerBound, prepared] = printed(graphText(net, shape, cpu()), 'Inference') as [number, number, number];
  const x = zeros(shape);
  expect(await bytesHeldAfter(net, () => net.forward(x))).toBe(arena + prepared);
  expect(lowerBound).toBeGreaterThan(0);
  expect(arena).toBeGreaterThanOrEqual(lowerBound);
  expect(prepared).toBeGreaterThan(0);
});

test('a training step holds the arena that is printed, beside its gradients', async () => {
  const net = makeNet();
  const [arena] = printed(graphText(net, shape, cpu()), 'Training step') as [number];
  const [x, y] = [zeros(shape), zeros([4], { dtype: 'int32' })];
  const lossFn = new loss.SoftmaxCrossEntropyLoss();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });
  const step = (): Tensor => {
    const losses = autograd.record(() => lossFn.forward(net.forward(x), y));
    losses.backward();
    trainer.step(4);
    return losses;
  };
  expect(await bytesHeldAfter(net, step)).toBe(arena); // the gradients replace those of the step before
});
