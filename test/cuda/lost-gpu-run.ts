// Started by failing-calls.test.ts: makes a call fail in the way that ends all work on the emulated gpu(0), then uses it in
// every way. Prints the class and message of each error ('none' where there is none).

import { backendOf } from '../../lib/device.js';
import { cpu, gpu, ops, tensor } from '../../lib/index.js';

const device = gpu(0);
const backend = backendOf(device);
const told: Record<string, [string, string]> = {};

async function note(use: string, body: () => unknown): Promise<void> {
  try {
    await body();
    told[use] = ['none', ''];
  } catch (error) {
    told[use] = [(error as Error).name, (error as Error).message];
  }
}

const x = tensor([1, 2, 3], { device });
const y = ops.add(x, 1);
backend.synchronize();
process.env.RESIDUA_EMULATED_FAULT = process.argv[2];
await note('first', async () => {
  const z = ops.mul(x, y);
  await z.data();
});
await note('run', () => ops.add(x, 1));
await note('upload', () => tensor([1, 2], { device }));
await note('read', () => y.dataSync());
await note('readAsync', () => y.data());
await note('synchronize', () => backend.synchronize());
await note('dispose', () => {
  for (const made of [x, y]) made.dispose();
  backend.memory();
  backend.describe();
});
await note('cpu', () => ops.add(tensor([1], { device: cpu() }), 1).dataSync());
process.stdout.write(JSON.stringify(told));
