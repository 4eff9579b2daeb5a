// A program of more ops than may wait one by one: it is handed over as a whole, and the caller goes on while it runs.
import { expect, test } from 'vitest';
import { cpu, nn, ones, ops, type Tensor } from '../../lib/index.js';

const depth = 1600;

class Chain extends nn.Block {
  forward(x: Tensor): Tensor {
    let y = x;
    for (let i = 0; i < depth; i++) y = i % 2 === 0 ? ops.add(y, x) : ops.sub(y, x);
    return y;
  }
}

test('leaves the event loop before half of it has run, as does reading its result', async () => {
  const net = new Chain();
  net.hybridize();
  const x = ones([1 << 18], { device: cpu() });
  for (let i = 0; i < 2; i++) await net.forward(x).data(); // records and plans
  const start = performance.now();
  const values = net.forward(x).data();
  const held = performance.now() - start;
  expect([...(await values).slice(0, 3)]).toEqual([1, 1, 1]);
  expect(held).toBeLessThan((performance.now() - start) / 2);
});

test('runs to its end before what comes after, however many are enqueued', async () => {
  const net = new Chain();
  net.hybridize();
  let x = ones([8], { device: cpu() });
  for (let i = 0; i < 6; i++) x = net.forward(x).add(1); // more than may wait: the caller waits
  expect([...(await x.data())]).toEqual(Array.from({ length: 8 }, () => 7));
});
