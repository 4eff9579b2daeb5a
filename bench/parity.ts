// The same net, weights and batch on the CPU and on the GPU: how far scores, losses and gradients are apart, in float32 and
// in bfloat16. Fails where float32 differs by more than rounding. [--size 96] [--batch 32] [--out FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  autocast,
  autograd,
  cpu,
  type Device,
  gpu,
  init,
  loss,
  models,
  type Precision,
  seed,
  setDevice,
  tensor,
  uniform,
} from 'residua';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '96' },
    batch: { type: 'string', default: '32' },
    out: { type: 'string', default: '' },
  },
});
const [size, batch] = [Number(values.size), Number(values.batch)];
const allowed = 1e-3; // of the largest value, in float32

type Results = Map<string, Float32Array>;

/** Losses, and gradients of the parameters by name, of one training pass. */
async function resultsOn(device: Device, precision: Precision): Promise<Results> {
  seed(0);
  setDevice(device);
  const net = models.chapterResNet18();
  net.initialize({ init: new init.Xavier(), device });
  const x = uniform([batch, 1, size, size], { device }); // [batch, 1, size, size]
  const labels = tensor(
    Int32Array.from({ length: batch }, (_, i) => i % 10),
    { device },
  ); // [batch]
  const lossFn = new loss.SoftmaxCrossEntropyLoss();
  net.forward(x).dispose(); // settles the deferred shapes
  const losses = autocast(precision, () => {
    const made = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [batch]
    made.backward();
    return made;
  });
  const results: Results = new Map([['losses', (await losses.data()) as Float32Array]]);
  for (const [name, parameter] of net.collectParams())
    if (parameter.trainable) results.set(`gradient of ${name}`, (await parameter.grad().data()) as Float32Array);
  return results;
}

const largestOf = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Biases before BatchNorm: their gradient is 0 but for rounding. */
const isRounding = (name: string): boolean => /( 0|conv[12])\.bias$/.test(name);

/** The largest difference relative to the tensor's largest value, and where it is. */
function worst(actual: Results, expected: Results): { name: string; difference: number } {
  let found = { name: '', difference: 0 };
  for (const [name, values] of expected) {
    if (isRounding(name)) continue;
    const other = actual.get(name) as Float32Array;
    const apart = largestOf(values.map((value, i) => value - (other[i] as number)));
    const difference = apart / largestOf(values);
    if (!(difference <= found.difference)) found = { name, difference };
  }
  return found;
}

const reference = await resultsOn(cpu(), 'float32');
const rows: Record<string, { name: string; difference: number }> = {};
for (const precision of ['float32', 'bfloat16'] as const) {
  rows[precision] = worst(await resultsOn(gpu(), precision), reference);
  const { name, difference } = rows[precision];
  process.stdout.write(`gpu(0) ${precision} against cpu float32: ${difference.toExponential(2)} at ${name}\n`);
}
if (values.out) writeFileSync(values.out, `${JSON.stringify({ size, batch, worst: rows }, null, 2)}\n`);
if (!((rows.float32?.difference ?? 1) <= allowed)) {
  process.stderr.write(`float32 differs by more than ${allowed}.\n`);
  process.exitCode = 1;
}
