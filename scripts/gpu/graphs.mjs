// Trains a small net with CUDA graphs and without (test/cuda/replay-run.ts) and compares: errors must be the same, the
// numbers of the first five steps within rounding. Says how many numbers have the same bits; on the emulation all have.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './steps.mjs';

const allowed = 1e-3; // of the largest value: some of cuDNN's sums are in no fixed order

/** @returns {{values: Record<string, number[]>, errors: string[]}} */
function train(graphs) {
  const command = ['--import', 'tsx', join(root, 'test/cuda/replay-run.ts'), process.argv[2] ?? 'float32'];
  const env = { ...process.env, RESIDUA_CUDA_GRAPHS: graphs };
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`With RESIDUA_CUDA_GRAPHS=${graphs} it ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

const floats = (bits) => [...new Float32Array(Uint32Array.from(bits).buffer)];
const [plain, replayed] = [train('0'), train('1')];
const names = Object.keys(plain.values);
const isEarly = (name) => names.indexOf(name) <= names.findLastIndex((each) => each.includes('after 5 steps'));

let same = 0;
let worst = 0;
for (const name of names) {
  const [a, b] = [floats(plain.values[name]), floats(replayed.values[name])];
  if (a.every((value, i) => Object.is(value, b[i]))) same += 1;
  else if (isEarly(name)) {
    const largest = Math.max(...a.map(Math.abs), 1e-6);
    worst = Math.max(worst, ...a.map((value, i) => Math.abs(value - b[i]) / largest));
  }
}
console.log(`${same} of ${names.length} tensors have the same bits; after five steps they differ by ${worst} at most.`);
const sameErrors = JSON.stringify(plain.errors) === JSON.stringify(replayed.errors);
if (!sameErrors) console.log('Errors differ:', plain.errors, replayed.errors);
process.exitCode = sameErrors && worst <= allowed ? 0 : 1;
