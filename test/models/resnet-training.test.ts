// The family trains: blocks of each kind on Fashion-MNIST's first images, run op by op and captured, in float32 and bfloat16.
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  autograd,
  cpu,
  type Device,
  data,
  loss,
  models,
  nn,
  type Precision,
  residualStage,
  seed,
  setDevice,
  setPrecision,
  type Tensor,
  Trainer,
} from '../../lib/index.js';
import { supports, testDevices } from '../helpers/devices.js';

// Hundreds of shapes that come once each: none is worth timing algorithms for.
vi.hoisted(() => {
  process.env.RESIDUA_TUNE = '0';
});

const batch = 32;
const steps = 12;

afterEach(() => {
  setPrecision('float32');
  setDevice(cpu());
});

/** [label, net]: two or three stages, few channels. */
const nets: [string, () => nn.Block][] = [
  ['basic, v1, padded', () => models.cifarResNet(8, { inChannels: 1, widths: [4, 8, 16] })],
  ['basic, v2, padded', () => models.cifarResNet(8, { version: 'v2', inChannels: 1, widths: [4, 8, 16] })],
  ['basic, v1, projected', () => models.resnet18({ widths: [4, 4, 8, 8], stem: 'cifar', inChannels: 1, classes: 10 })],
  ['bottleneck, v1', () => tiny({ version: 'v1' })],
  ['bottleneck, v1.5, groups', () => tiny({ version: 'v1.5', groups: 2, widthPerGroup: 32 })],
  ['bottleneck, v1.5, zeroInitResidual', () => tiny({ zeroInitResidual: true })],
  ['bottleneck, v2', () => tiny({ version: 'v2' })],
  ['bottleneck, v2, zeroInitResidual', () => tiny({ version: 'v2', zeroInitResidual: true })],
  ['plain', () => models.cifarResNet(8, { residual: false, inChannels: 1, widths: [4, 8, 16] })],
  ["the chapter's", chapter],
];

function chapter(): nn.Block {
  const net = new nn.Sequential();
  net.add(new nn.Conv2D(4, { kernelSize: 3, padding: 1 }), new nn.BatchNorm(), new nn.Activation('relu'));
  net.add(residualStage(4, 1, true), residualStage(8, 1), residualStage(16, 1));
  return net.add(new nn.GlobalAvgPool2D(), new nn.Dense(10));
}

function tiny(options: models.ResNetOptions): nn.Block {
  return models.cifarResNet(11, {
    version: 'v1.5',
    inChannels: 1,
    widths: [4, 8, 8],
    shortcut: 'projection',
    ...options,
  });
}

describe.each(testDevices)('on %s', (device) => {
  let images: { x: Tensor; y: Tensor };

  beforeAll(async () => {
    setDevice(cpu());
    const set = (await data.fashionMnist({ train: true })).take(batch);
    const loader = new data.DataLoader(set, { batchSize: batch, resize: 14 });
    for await (const [x, y] of loader) images = { x: x.to(device), y: y.to(device) };
  });

  const precisions = (['float32', 'bfloat16'] as const).filter((precision) => supports(device, precision));
  const ways = precisions.flatMap((precision) =>
    [false, true].map((captured) => [precision, captured ? 'captured' : 'op by op', captured] as const),
  );
  for (const [label, make] of nets)
    test.each(ways)(`${label}: the loss falls, %s, %s`, async (precision, _, captured) => {
      const losses = await train(make, images, device, precision, captured);
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)! / losses[0]!).toBeLessThan(0.85);
    });
});

/** Mean losses on one batch, step by step. */
async function train(
  make: () => nn.Block,
  { x, y }: { x: Tensor; y: Tensor },
  device: Device,
  precision: Precision,
  captured: boolean,
): Promise<number[]> {
  setDevice(device);
  seed(4);
  const net = make();
  net.initialize({ device });
  net.hybridize(captured);
  setPrecision(precision);
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9 });
  const lossOf = new loss.SoftmaxCrossEntropyLoss();
  const losses: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    const l = autograd.record(() => lossOf.forward(net.forward(x), y));
    l.backward();
    trainer.step(batch);
    losses.push(((await l.data()) as Float32Array).reduce((sum, value) => sum + value, 0) / batch);
    l.dispose();
  }
  return losses;
}
