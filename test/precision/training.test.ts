// Training in mixed precision: near float32, with parameters, gradients and momenta in float32, and no memory left behind.
import { afterEach, describe, expect, test } from 'vitest';
import {
  autograd,
  type Device,
  evaluateAccuracy,
  init,
  loss,
  memory,
  nn,
  type Precision,
  profile,
  seed,
  setPrecision,
  type Tensor,
  Trainer,
  tensor,
  tidy,
  uniform,
} from '../../lib/index.js';
import { supports, testDevices } from '../helpers/devices.js';

const steps = 6;
const batch = 8;

afterEach(() => setPrecision('float32'));

/** A net with every kind of layer that the chapter's has, small. */
function makeNet(device: Device): nn.Sequential {
  seed(5);
  const net = new nn.Sequential().add(
    new nn.Conv2D(8, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm(),
    new nn.Activation('relu'),
    new nn.MaxPool2D(),
    new nn.Residual(16, { use1x1Conv: true, strides: 2 }),
    new nn.GlobalAvgPool2D(),
    new nn.Dense(4),
  );
  net.initialize({ init: new init.Xavier(), device });
  return net;
}

interface Run {
  net: nn.Sequential;
  trainer: Trainer;
  x: Tensor;
  labels: Tensor;
  losses: number[];
}

/** Trains on one batch. */
function train(device: Device, precision: Precision, { onStep = () => {}, hybridize = false } = {}): Run {
  const net = makeNet(device);
  const x = uniform([batch, 1, 12, 12], { low: -1, high: 1, device });
  const labels = tensor(
    Int32Array.from({ length: batch }, (_, i) => i % 4),
    { device },
  );
  tidy(() => void net.forward(x));
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05, momentum: 0.9 });
  const lossOf = new loss.SoftmaxCrossEntropyLoss();
  const losses: number[] = [];
  setPrecision(precision);
  net.hybridize(hybridize);
  for (let step = 0; step < steps; step += 1) {
    const l = autograd.record(() => lossOf.forward(net.forward(x), labels));
    expect(l.dtype).toBe('float32');
    l.backward();
    trainer.step(batch);
    losses.push(tidy(() => l.mean().item()));
    l.dispose();
    onStep();
  }
  return { net, trainer, x, labels, losses };
}

describe.each(testDevices)('on %s', (device) => {
  const halves = (['bfloat16', 'float16'] as const).filter((dtype) => supports(device, dtype));
  if (halves.length === 0) test.skip('no 16-bit type', () => {});

  test.each(halves)('%s is near float32 and learns', (precision) => {
    const [exact, mixed] = [train(device, 'float32'), train(device, precision)];
    const tolerance = precision === 'bfloat16' ? 0.02 : 0.005;
    for (const [step, expected] of exact.losses.entries())
      expect(Math.abs(mixed.losses[step]! / expected - 1), `loss of step ${step + 1}`).toBeLessThan(tolerance);
    expect(mixed.losses.at(-1)).toBeLessThan(mixed.losses[0]! * 0.8);
    expect(mixed.trainer.skippedSteps).toBe(0);
    for (const parameter of mixed.net.collectParams().values()) {
      expect([parameter.name, parameter.data().dtype]).toEqual([parameter.name, 'float32']);
      if (parameter.trainable) expect(parameter.grad().dtype).toBe('float32');
    }
  });

  test.each(halves)('%s leaves nothing in memory from one step to the next', (precision) => {
    const counts: number[] = [];
    train(device, precision, { onStep: () => counts.push(memory().tensors) });
    expect(new Set(counts.slice(1)).size).toBe(1);
  });

  test.each(halves)('%s is the same where steps run as programs', (precision) => {
    const [plain, hybridized] = [train(device, precision), train(device, precision, { hybridize: true })];
    // A program rounds otherwise: BatchNorm, sum and ReLU once instead of thrice, and on a GPU no noise of biases before BatchNorm.
    const digits = precision === 'bfloat16' ? 2 : 3;
    for (const [step, expected] of plain.losses.entries())
      expect(hybridized.losses[step]! / expected, `loss of step ${step + 1}`).toBeCloseTo(1, digits);
  });

  test.runIf(device.kind === 'cpu').each(halves)('%s keeps parameters as their gradients come', async (precision) => {
    setPrecision(precision); // from the first forward pass on: one in float32 would choose their layouts
    const { net, trainer, x, labels } = train(device, precision);
    const times = await profile(() => {
      const l = autograd.record(() => new loss.SoftmaxCrossEntropyLoss().forward(net.forward(x), labels));
      l.backward();
      trainer.step(batch);
      l.dispose();
    });
    const updates = times.filter(({ op }) => op === 'sgd').map(({ reorderMilliseconds }) => reorderMilliseconds);
    expect(updates).toEqual([0]);
  });

  test.each(halves)('evaluateAccuracy in %s gives what float32 gives', async (precision) => {
    const { net, x, labels } = train(device, precision);
    const inMixed = await evaluateAccuracy([[x, labels]], net, device);
    setPrecision('float32');
    expect(inMixed).toBe(await evaluateAccuracy([[x, labels]], net, device));
  });
});
