// Started by failing-calls.test.ts: training steps on the emulated gpu(0), in each of which one call of CUDA, cuDNN or cuBLAS
// fails, the next one in the next step. Prints what came of it.
import { readFileSync } from 'node:fs';
import { autograd, gpu, memory, ops, ResiduaError, type Tensor, tensor, tidy } from '../../lib/index.js';
import { uniformValues } from '../helpers/values.js';

const device = gpu(0);
const log = process.env.RESIDUA_EMULATED_FAULT_LOG as string;
const most = Number(process.argv[2]); // calls to make fail

/** A small net with many kinds of op, from the same weights each time: its losses, and the weights after one update. */
async function step(): Promise<number[]> {
  const live: Tensor[] = [];
  const keep = (made: Tensor): Tensor => {
    live.push(made);
    return made;
  };
  const variable = (seed: number, shape: number[]): Tensor => {
    const count = shape.reduce((product, size) => product * size, 1);
    const made = keep(tensor(uniformValues(count, seed), { shape, device }));
    made.requiresGrad = true;
    return made;
  };
  try {
    const [kernel, gamma, beta, dense] = [
      variable(1, [8, 3, 3, 3]),
      variable(2, [8]),
      variable(3, [8]),
      variable(4, [5, 8]),
    ];
    const [mean, variance] = [0, 1].map((value) => keep(tensor(new Float32Array(8).fill(value), { device }))) as [
      Tensor,
      Tensor,
    ];
    const weights = [kernel, gamma, beta, dense];
    const losses = tidy(() => {
      const images = tensor(uniformValues(4 * 3 * 8 * 8, 5), { shape: [4, 3, 8, 8], device });
      const labels = tensor(Int32Array.of(0, 1, 2, 3), { device });
      const made = autograd.record(() => {
        const x = ops.conv2d(images, kernel, null, { padding: 1 });
        const y = ops.batchNorm(x, gamma, beta, mean, variance, { training: true, relu: true });
        const z = ops.avgPool2d(ops.maxPool2d(y, { poolSize: 2 }), { poolSize: 4 });
        return ops.softmaxCrossEntropy(ops.dense(ops.reshape(z, [4, 8]), dense), labels);
      });
      made.backward();
      for (const { grad } of weights) if (grad) keep(grad);
      ops.sgdUpdate(
        weights,
        weights.map(({ grad }) => grad as Tensor),
        null,
        { rescale: 0.25, momentum: 0, clip: 0, lrs: weights.map(() => 0.1), wds: weights.map(() => 0) },
      );
      return made;
    });
    keep(losses);
    const read = [losses, ...weights, mean, variance].map((each) => each.data());
    return (await Promise.all(read)).flatMap((values) => [...values]);
  } finally {
    for (const made of live) {
      made.grad?.dispose();
      made.dispose();
    }
  }
}

/** Whether a call failed since this was last asked. */
let logged = 0;
function hasFailed(): boolean {
  const lines = readFileSync(log, 'utf8').split('\n').length;
  const grew = lines > logged;
  logged = lines;
  return grew;
}

const expected = await step();
const same = (values: number[]): boolean => values.every((value, i) => Object.is(value, expected[i]));
const tensors = memory().tensors;
const report = { failed: 0, errors: {} as Record<string, number>, wrong: [] as string[] };
hasFailed();
for (let call = 1; call <= most; call += 1) {
  process.env.RESIDUA_EMULATED_FAULT = `*:${call}`;
  let outcome = '';
  try {
    if (!same(await step())) outcome = 'wrong values without an error';
  } catch (error) {
    const name = error instanceof ResiduaError ? error.name : `untyped ${String(error)}`;
    report.errors[name] = (report.errors[name] ?? 0) + 1;
    if (!(error instanceof ResiduaError)) outcome = name;
  }
  process.env.RESIDUA_EMULATED_FAULT = '';
  if (!hasFailed()) break; // the step has no more calls
  report.failed += 1;
  await Promise.resolve();
  if (memory().tensors !== tensors) outcome ||= `${memory().tensors - tensors} tensors are left`;
  try {
    if (!same(await step())) outcome ||= 'the next step gives other values';
  } catch (error) {
    outcome ||= `the next step fails: ${(error as Error).message}`;
  }
  if (outcome) {
    report.wrong.push(`call ${call} (${readFileSync(log, 'utf8').trim().split('\n').at(-1)}): ${outcome}`);
  }
}
process.stdout.write(JSON.stringify(report));
