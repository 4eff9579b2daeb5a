// Started by replay.test.ts: training on the emulated gpu(0), with everything between steps that a replayed program must
// notice. Prints what came of it, the bits of all numbers, and how many CUDA graphs were launched.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backendOf } from '../../lib/device.js';
import { clearPrograms } from '../../lib/graph/deferral.js';
import {
  autograd,
  gpu,
  init,
  loss,
  memory,
  nn,
  ops,
  type Precision,
  residualStage,
  seed,
  setDevice,
  setPrecision,
  type Tensor,
  Trainer,
  tensor,
} from '../../lib/index.js';
import { uniformValues } from '../helpers/values.js';

const folder = mkdtempSync(join(tmpdir(), 'residua-replay-'));
const callLog = join(folder, 'calls');
writeFileSync(callLog, '');
process.env.RESIDUA_EMULATED_CALL_LOG = callLog;
setDevice(gpu(0));
setPrecision(process.argv[2] as Precision);
seed(3);

const classes = 5;
const report: { values: Record<string, number[]>; errors: string[]; tensors: number[]; launches: number[] } = {
  values: {}, // bits
  errors: [],
  tensors: [],
  launches: [],
};
const bitsOf = (values: ArrayLike<number>): number[] => [...new Uint32Array(Float32Array.from(values).buffer)];

function launches(): number {
  const calls = readFileSync(callLog, 'utf8').split('\n');
  return calls.filter((name) => name === 'cudaGraphLaunch').length;
}

class Training {
  readonly net = new nn.Sequential();
  readonly #trainer: Trainer;
  readonly #lossFn = new loss.SoftmaxCrossEntropyLoss();
  #batches = 0;

  constructor(channels: number) {
    const stem = [
      new nn.Conv2D(channels, { kernelSize: 3, padding: 1 }),
      new nn.BatchNorm(),
      new nn.Activation('relu'),
    ];
    this.net.add(...stem, residualStage(8, 2), new nn.GlobalAvgPool2D(), new nn.Dropout(0.3), new nn.Dense(classes));
    this.net.initialize({ init: new init.Xavier() });
    this.net.forward(tensor(uniformValues(3 * 81, 1), { shape: [1, 3, 9, 9] })).dispose();
    this.net.hybridize();
    this.#trainer = new Trainer(this.net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9, wd: 1e-3 });
  }

  /** Images and labels that no step has seen, as new tensors; `label` takes the place of the first. */
  batch(size: number, label = 0): [Tensor, Tensor] {
    this.#batches += 1;
    const images = tensor(uniformValues(size * 243, this.#batches), { shape: [size, 3, 9, 9] });
    const labels = Int32Array.from({ length: size }, (_, i) => (i === 0 ? label : (i + this.#batches) % classes));
    return [images, tensor(labels)];
  }

  /** Enqueues a step; the losses [size]. */
  enqueue(images: Tensor, labels: Tensor): Tensor {
    const losses = autograd.record(() => this.#lossFn.forward(this.net.forward(images), labels));
    losses.backward();
    this.#trainer.step(labels.shape[0] as number);
    return losses;
  }

  async step(size = 4, label = 0): Promise<void> {
    const [images, labels] = this.batch(size, label);
    const losses = this.enqueue(images, labels);
    note(`losses of ${size}`, await losses.data());
    for (const each of [images, labels, losses]) each.dispose();
  }

  /** Parameters, running statistics and, where they can be read, gradients. */
  async noteState(name: string, hasGradients = true): Promise<void> {
    for (const [key, parameter] of this.net.collectParams()) {
      note(`${name} ${key}`, await parameter.data().data());
      if (hasGradients && parameter.data().grad) note(`${name} ${key} gradient`, await parameter.grad().data());
    }
  }

  async scores(): Promise<void> {
    const [images, labels] = this.batch(3);
    const scores = this.net.forward(images); // [3, classes]
    note('scores', await scores.data());
    for (const each of [images, labels, scores]) each.dispose();
  }
}

function note(name: string, values: ArrayLike<number>): void {
  report.values[`${Object.keys(report.values).length} ${name}`] = bitsOf(values);
}

const training = new Training(6);
for (let step = 0; step < 5; step++) {
  await training.step();
  report.tensors.push(memory().tensors);
}
await training.noteState('after 5 steps');
report.launches.push(launches());

// A last, smaller batch, then the usual one again, in turn; a second net between.
const other = new Training(4);
for (let step = 0; step < 4; step++) {
  await training.step(3);
  await training.step();
  await other.step(2);
}
await training.noteState('after smaller batches');

// Parameters are set, saved and loaded.
const [name, parameter] = [...training.net.collectParams()][0] as [string, nn.Parameter];
const { shape } = parameter.data();
const count = shape.reduce((product, size) => product * size, 1);
parameter.setData(tensor(uniformValues(count, 9), { shape }));
await training.step();
const file = join(folder, 'net.safetensors');
await training.net.saveParameters(file);
await training.step();
await training.net.loadParameters(file);
await training.step();
await training.noteState(`after ${name} was set`);

// Inference, with a head that is replaced by another net's tensors of the same sizes.
for (let run = 0; run < 4; run++) await training.scores();
training.net.initialize({ init: new init.Xavier(), forceReinit: true });
for (let run = 0; run < 3; run++) await training.scores();
for (let step = 0; step < 4; step++) await training.step();

// Labels out of range: of the step, with and without someone waiting for it; later steps work.
const before = launches();
await training.noteState('before a wrong label');
for (const waits of [true, false]) {
  const [images, labels] = training.batch(4, 7);
  const losses = training.enqueue(images, labels);
  try {
    if (waits) await losses.data();
    await training.step();
    backendOf(gpu(0)).synchronize(); // tells what nobody has been told of
    report.errors.push('none');
  } catch (error) {
    const { name: kind, message, details } = error as Error & { details: Record<string, unknown> };
    report.errors.push(`${kind}: ${message} ${String(details.op)}`);
  }
  for (const each of [images, labels, losses]) each.dispose();
  await training.noteState('after a wrong label', false);
  await training.step();
}
report.launches.push(launches() - before);

// Rows gathered on the device, by indices that may be wrong: the step takes over what they depend on.
const data = tensor(uniformValues(6 * 243, 77), { shape: [6, 3, 9, 9] });
for (const last of [3, 1, 9, 2]) {
  const indices = tensor(Int32Array.of(0, 5, 2, last));
  const labels = tensor(Int32Array.of(1, 2, 3, 4));
  const images = ops.gatherRows(data, indices); // [4, 3, 9, 9]
  const losses = training.enqueue(images, labels);
  try {
    note('losses of rows', await losses.data());
  } catch (error) {
    report.errors.push(`${(error as Error).name}: ${(error as Error).message}`);
  }
  for (const each of [indices, labels, images, losses]) each.dispose();
  await training.noteState('after rows', false);
}

// Losses that the caller keeps, steps that nobody waits for, and programs that go while they run.
const kept: Tensor[] = [];
for (let step = 0; step < 6; step++) {
  const [images, labels] = training.batch(4);
  kept.push(training.enqueue(images, labels));
  for (const each of [images, labels]) each.dispose();
}
clearPrograms();
for (const losses of kept) {
  note('kept losses', await losses.data());
  losses.dispose();
}
await training.noteState('at the end');
for (let step = 0; step < 5; step++) await training.step();
report.launches.push(launches());
delete process.env.RESIDUA_EMULATED_CALL_LOG; // threads of the backend write there too
rmSync(folder, { recursive: true, maxRetries: 5 });
process.stdout.write(JSON.stringify(report));
