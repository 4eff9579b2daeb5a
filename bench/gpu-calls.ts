// Which calls of CUDA, cuDNN and cuBLAS one training step of the chapter's ResNet-18 makes, counted on the emulation: op by
// op, as the step captured into a CUDA graph (not run meanwhile, then run), and as a later one replays it.
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
  tidy,
  uniform,
} from 'residua';

const { values } = parseArgs({ options: { precision: { type: 'string', default: 'float32' } } });
const device = gpu();
setDevice(device);
setPrecision(values.precision as Precision);
const net = models.chapterResNet18();
net.initialize({ init: new init.Xavier() });
tidy(() => net.forward(uniform([2, 1, 32, 32])));
net.hybridize();
const lossFn = new loss.SoftmaxCrossEntropyLoss();
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });

async function step(): Promise<void> {
  const x = uniform([2, 1, 32, 32]); // [2, 1, 32, 32]
  const labels = tensor(Int32Array.of(0, 1)); // [2]
  const losses = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [2]
  losses.backward();
  trainer.step(2);
  await losses.data();
  for (const each of [x, labels, losses]) each.dispose();
}

const folder = mkdtempSync(join(tmpdir(), 'residua-calls-'));

/** How often each function is called in a step. */
async function countCalls(): Promise<Map<string, number>> {
  const log = join(folder, 'calls');
  process.env.RESIDUA_EMULATED_CALL_LOG = log;
  await step();
  delete process.env.RESIDUA_EMULATED_CALL_LOG;
  const counts = new Map<string, number>();
  for (const name of readFileSync(log, 'utf8').trimEnd().split('\n')) counts.set(name, (counts.get(name) ?? 0) + 1);
  rmSync(log);
  return counts;
}

await step(); // makes the plans
const steps: Map<string, number>[] = [];
while (steps.length < 6) steps.push(await countCalls());
rmSync(folder, { recursive: true });
const isReplayed = (counts: Map<string, number>): boolean => counts.has('cudaGraphLaunch');
const firstReplay = steps.findIndex(isReplayed);

const columns = [steps[firstReplay - 1], steps[firstReplay], steps.at(-1)] as Map<string, number>[];
const names = [...new Set(columns.flatMap((counts) => [...counts.keys()]))];
const countsOf = (name: string): number[] => columns.map((counts) => counts.get(name) ?? 0);
console.log('  op by op  captured  replayed');
for (const name of names.sort((a, b) => (countsOf(b)[0] as number) - (countsOf(a)[0] as number)))
  console.log(
    `${countsOf(name)
      .map((count) => String(count).padStart(10))
      .join('')}  ${name}`,
  );
