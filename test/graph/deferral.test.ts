// Recorded programs against plain execution: same values, bit for bit on the CPU; what is read splits them; nothing leaks.
import { afterEach, describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import { flushDeferred, programCount } from '../../lib/graph/deferral.js';
import {
  autograd,
  capture,
  cpu,
  type Device,
  init,
  loss,
  memory,
  nn,
  ops,
  residualStage,
  seed,
  type Tensor,
  Trainer,
  tensor,
  tidy,
  uniform,
} from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError, rejectionOf } from '../helpers/errors.js';
import { expectClose } from '../helpers/tolerances.js';

afterEach(flushDeferred);

const makeNet = (device: Device): nn.Sequential => {
  seed(3);
  const stem = [new nn.Conv2D(6, { kernelSize: 3, padding: 1 }), new nn.BatchNorm(), new nn.Activation('relu')];
  const net = new nn.Sequential().add(...stem, residualStage(8, 2), new nn.GlobalAvgPool2D(), new nn.Dense(5));
  net.initialize({ init: new init.Xavier(), device });
  return net;
};

/** Losses of some steps, and the scores of the trained net. */
async function train(device: Device, { hybridize = false, readBetween = false, momentum = 0.9 } = {}) {
  const net = makeNet(device);
  const x = uniform([4, 3, 9, 9], { device }); // [4, 3, 9, 9]
  const y = tensor(Int32Array.of(0, 4, 2, 1), { device }); // [4]
  net.forward(x).dispose();
  if (hybridize) net.hybridize();
  const lossFn = new loss.SoftmaxCrossEntropyLoss();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum, wd: 1e-3 });
  const values: number[] = [];
  for (let step = 0; step < 4; step++) {
    const losses = autograd.record(() => lossFn.forward(net.forward(x), y)); // [4]
    if (readBetween) values.push((losses.toArray() as number[])[0] as number);
    losses.backward();
    trainer.step(4);
    values.push(...(await losses.data()));
    losses.dispose();
  }
  const output = net.forward(x); // [4, 5]
  const scores = [...(await output.data())];
  for (const each of [x, y, output]) each.dispose();
  return { values, scores, net, trainer };
}

describe.each(testDevices)('hybridize() on %s', (device) => {
  // Training is not fused on the CPU: the same bits. Inference is, as BatchNorm becomes part of the convolution.
  const expectEqual = (actual: number[], expected: number[]): void => {
    if (device.equals(cpu())) expect(actual).toEqual(expected);
    else expectNear(actual, expected);
  };
  const expectNear = (actual: number[], expected: number[]): void =>
    expectClose(actual, expected, { rtol: 1e-4, atol: 1e-5 });

  test('trains to the same values as plain code', async () => {
    const [plain, recorded] = [await train(device), await train(device, { hybridize: true })];
    expectEqual(recorded.values, plain.values);
    expectNear(recorded.scores, plain.scores);
  });

  test('weights that have changed since are used', async () => {
    const net = makeNet(device);
    const x = uniform([2, 3, 9, 9], { device });
    const score = async (hybridize: boolean) => {
      net.hybridize(hybridize);
      return tidy(() => net.forward(x)).data();
    };
    await score(true);
    const gamma = net.collectParams().get('1.gamma')!;
    gamma.setData(Float32Array.from({ length: 6 }, (_, i) => 2 + i));
    const changed = await score(true);
    expectNear([...changed], [...(await score(false))]);
    autograd.record(() => net.forward(x)).dispose(); // moves the running statistics
    const moved = await score(true);
    expect(moved).not.toEqual(changed);
    expectNear([...moved], [...(await score(false))]);
  });

  test('a net whose statistics have become NaN gives NaN', async () => {
    const net = makeNet(device);
    const x = uniform([2, 3, 9, 9], { device });
    net.forward(x).dispose();
    for (const statistic of net.collectParams(/runningMean/).values())
      statistic.setData(new Float32Array(statistic.shape[0] as number).fill(Number.NaN));
    net.hybridize();
    expect([...(await tidy(() => net.forward(x)).data())].every(Number.isNaN)).toBe(true);
  });

  test('also where the losses are read between forward and backward', async () => {
    const [plain, split] = [
      await train(device, { readBetween: true }),
      await train(device, { hybridize: true, readBetween: true }),
    ];
    expectEqual(split.values, plain.values);
  });

  test('steps of equal shapes share one program', async () => {
    const before = programCount(backendOf(device));
    const { net } = await train(device, { hybridize: true, momentum: 0.8 });
    const after = programCount(backendOf(device));
    expect(after - before).toBeLessThanOrEqual(2); // a training step and an inference, unless an earlier test made them
    await tidy(() => net.forward(uniform([7, 3, 9, 9], { device }))).data();
    expect(programCount(backendOf(device))).toBe(after + 1); // another batch size
  });

  test('gradients and running statistics can be read after a step', async () => {
    const of = async (hybridize: boolean) => {
      const { net } = await train(device, { hybridize });
      const parameters = [...net.collectParams().values()];
      const tensors = parameters.flatMap((each) => [each.data(), ...(each.data().grad ? [each.grad()] : [])]);
      return (await Promise.all(tensors.map((each) => each.data()))).flatMap((values) => [...values]);
    };
    expectEqual(await of(true), await of(false));
  });

  test('live tensors return to the baseline after every step', async () => {
    const { net, trainer } = await train(device, { hybridize: true });
    const lossFn = new loss.SoftmaxCrossEntropyLoss();
    const counts: number[] = [];
    for (let step = 0; step < 5; step++) {
      const x = uniform([4, 3, 9, 9], { device });
      const y = tensor(Int32Array.of(0, 4, 2, 1), { device });
      const losses = autograd.record(() => lossFn.forward(net.forward(x), y));
      losses.backward();
      trainer.step(4);
      await losses.data();
      for (const each of [x, y, losses]) each.dispose();
      counts.push(memory().tensors);
    }
    // What earlier tests left to garbage collection may go meanwhile.
    expect(Math.max(...counts.slice(1))).toBeLessThanOrEqual(counts[0] as number);
  });

  test('a wrong shape is told where it is recorded, with the layer', () => {
    const net = makeNet(device);
    net.forward(uniform([1, 3, 9, 9], { device })).dispose();
    net.hybridize();
    const error = errorOf(() => net.forward(uniform([1, 4, 9, 9], { device })));
    expectResiduaError(error, 'SHAPE_ERROR', ['in layer 0', '4']);
  });

  test('labels out of range come with the values, and nothing is updated', async () => {
    const { net, trainer } = await train(device, { hybridize: true });
    const weight = net.collectParams().get('0.weight')!.data();
    const before = await weight.data();
    const lossFn = new loss.SoftmaxCrossEntropyLoss();
    const x = uniform([2, 3, 9, 9], { device });
    const losses = autograd.record(() => lossFn.forward(net.forward(x), tensor(Int32Array.of(0, 9), { device })));
    losses.backward();
    trainer.step(2);
    expectResiduaError(await rejectionOf(losses.data()), 'DATA_ERROR', ['9']);
    expect(await weight.data()).toEqual(before);
  });

  test('a tensor that is disposed before the program runs was still an input', async () => {
    const net = makeNet(device);
    const x = uniform([1, 3, 9, 9], { device });
    const plain = await net.forward(x).data();
    net.hybridize();
    const scores = net.forward(x);
    x.dispose();
    expectNear([...(await scores.data())], [...plain]);
  });
});

describe.each(testDevices)('capture() on %s', (device) => {
  const polynomial = (x: Tensor): Tensor => ops.add(ops.mul(x, x), ops.mul(x, 3)); // x^2 + 3 x

  test('gives what plain code gives', async () => {
    const x = uniform([3, 4], { device });
    const result = await capture(polynomial)(x);
    expectClose(await result.data(), await polynomial(x).data());
  });

  test('runs a whole training step', async () => {
    const net = makeNet(device);
    const x = uniform([4, 3, 9, 9], { device });
    const y = tensor(Int32Array.of(0, 4, 2, 1), { device });
    net.forward(x).dispose();
    const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1 });
    const lossFn = new loss.SoftmaxCrossEntropyLoss();
    const step = capture((images: Tensor, labels: Tensor) => {
      const losses = autograd.record(() => lossFn.forward(net.forward(images), labels));
      losses.backward();
      trainer.step(4);
      return losses.mean();
    });
    const values: number[] = [];
    for (let i = 0; i < 5; i++) values.push(((await (await step(x, y)).data()) as Float32Array)[0] as number);
    expect(values.at(-1)).toBeLessThan(values[0] as number);
  });

  test('runs an op that only updates a tensor', async () => {
    const [x, y] = [uniform([3], { device }), uniform([3], { device })];
    await capture((from: Tensor) => ops.assign(x, from))(y);
    expect(await x.data()).toEqual(await y.data());
  });

  test('strict: reading a value inside is a ConfigError', async () => {
    const x = uniform([2], { device });
    const reads = (t: Tensor): Tensor => ops.mul(t, (ops.add(t, 1).toArray() as number[])[0] as number);
    expectResiduaError(await rejectionOf(capture(reads, { strict: true })(x)), 'CONFIG_ERROR', ['toArray']);
    expectClose(await (await capture(reads)(x)).data(), await reads(x).data());
  });

  test('an error of an op rejects the promise, and later ones run', async () => {
    const bad = capture((t: Tensor) => ops.softmaxCrossEntropy(t, tensor(Int32Array.of(7), { device })));
    const failure = await rejectionOf(bad(uniform([1, 3], { device })));
    expectResiduaError(failure, 'DATA_ERROR', ['7']);
    expectClose(await (await capture(polynomial)(tensor([2], { device }))).data(), [10]);
  });
});

test.each([
  ['fn', () => capture(3 as never)],
  ['strict', () => capture((t: Tensor) => t, { strict: 1 as never })],
  ['precision', () => capture((t: Tensor) => t, { precision: 'float64' as never })],
  ['precison', () => capture((t: Tensor) => t, { precison: 'float32' } as never)],
])('capture() refuses a wrong %s', (name, call) => {
  expectResiduaError(errorOf(call), 'CONFIG_ERROR', [name]);
});
