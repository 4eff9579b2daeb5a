// Which calls of CUDA, cuDNN and cuBLAS one training step of the chapter's ResNet-18 makes, counted on the emulation:
// RESIDUA_CUDA_LIBRARY=emulation node --import tsx bench/gpu-calls.ts [--precision bfloat16]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  autograd,
  gpu,
  init,
  loss,
  models,
  type Precision,
  setDevice,
  setPrecision,
  Trainer,
  tensor,
  uniform,
} from 'residua';

const { values } = parseArgs({ options: { precision: { type: 'string', default: 'float32' } } });
const device = gpu();
setDevice(device);
setPrecision(values.precision as Precision);
const net = models.chapterResNet18();
net.initialize({ init: new init.Xavier() });
const x = uniform([2, 1, 32, 32]); // [2, 1, 32, 32]
const labels = tensor(Int32Array.of(0, 1)); // [2]
net.forward(x).dispose();
net.hybridize();
const lossFn = new loss.SoftmaxCrossEntropyLoss();
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });

async function step(): Promise<void> {
  const losses = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [2]
  losses.backward();
  trainer.step(2);
  await losses.data();
  losses.dispose();
}

await step();
await step(); // plans exist, memory is cached
const folder = mkdtempSync(join(tmpdir(), 'residua-calls-'));
process.env.RESIDUA_EMULATED_CALL_LOG = join(folder, 'calls');
await step();
const names = readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');
delete process.env.RESIDUA_EMULATED_CALL_LOG;
rmSync(folder, { recursive: true });

const counts = new Map<string, number>();
for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1]))
  console.log(`${String(count).padStart(5)}  ${name}`);
