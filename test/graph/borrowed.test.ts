// What a recording reads may be disposed before it runs: its values live on until then, and go after it.
import { afterEach, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import { flushDeferred } from '../../lib/graph/deferral.js';
import { nn, ops, setDevice, type Tensor, tensor, tidy } from '../../lib/index.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { testDevices } from '../helpers/devices.js';

afterEach(flushDeferred);

test.each(testDevices)('on %s', async (device) => {
  setDevice(device);
  const net = new nn.Activation('relu');
  net.hybridize();
  const live = () => backendOf(device).memory().tensors;
  const recorded = (x: Tensor): Tensor => ops.add(net.forward(x), x);
  async function step(): Promise<void> {
    const before = live();
    const [x, kept] = [tensor([1, -2, 3], { device }), tensor([10], { device })];
    const y = tidy(() => ops.mul(recorded(x), kept));
    x.dispose();
    x.dispose();
    expect(live()).toBe(before + 2); // x is still needed
    expect([...(await y.data())]).toEqual([20, -20, 60]);
    expect([...(await kept.data())]).toEqual([10]);
    for (const each of [kept, y]) each.dispose();
  }
  await step(); // which makes the program and its arena
  await collectGarbage();
  const before = live();
  for (let i = 0; i < 3; i++) await step();
  expect(live()).toBe(before);
});

test.each(testDevices)('a result of one recording, disposed while the next reads it, on %s', async (device) => {
  setDevice(device);
  const net = new nn.Activation('relu');
  net.hybridize();
  const x = tensor([1, -2, 3], { device });
  const first = net.forward(x);
  await first.data();
  const second = net.forward(first);
  first.dispose();
  expect([...(await second.data())]).toEqual([1, 0, 3]);
  expect([...(await x.data())]).toEqual([1, -2, 3]);
  for (const each of [x, second]) each.dispose();
});

test.each(testDevices)('an op that is refused as the first one keeps nothing, on %s', async (device) => {
  setDevice(device);
  await collectGarbage();
  const live = () => backendOf(device).memory().tensors;
  const before = live();
  const [x, y] = [tensor([1, -2, 3], { device }), tensor([1, 2], { device })];
  class Wrong extends nn.Block {
    override forward(): Tensor {
      return ops.add(x, y);
    }
  }
  const net = new Wrong();
  net.hybridize();
  expect(() => net.forward()).toThrow(expect.objectContaining({ code: 'SHAPE_ERROR' }));
  for (const each of [x, y]) each.dispose();
  expect(live()).toBe(before);
});
