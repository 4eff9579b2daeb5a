// The machine's measured peak: the best GFLOP/s of large, well-shaped convolutions and matrix products through residua's ops,
// in float32 and bfloat16, and GB/s of a copy. Direct convolutions: an algorithm that does less arithmetic is no peak.
// npm run bench -- peak [--threads 2] [--repeats 7] [--scale 1] [--json]
import { devices, type OpTime, ones, ops, profile, setThreads, type Tensor, tidy, uniform } from '../lib/index.js';
import { integer, main, parseOptions, positive } from './arguments.js';
import { writeResult } from './harness.js';

export interface Peak {
  threads: number;
  /** GFLOP/s, and what reached it. */
  float32: { gflops: number; by: string };
  /** null where the processor has no bfloat16. */
  bfloat16: { gflops: number; by: string } | null;
  /** GB/s of a copy, bytes read and bytes written. */
  copyGBs: number;
}

interface Candidate {
  name: string;
  gflop: number;
  run: () => Tensor;
}

/** The least seconds of the op that `run` is, over some repeats after one that plans and warms up; changes of layout left out. */
async function leastSeconds(run: () => Tensor, repeats: number): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i <= repeats; i++) {
    const times = await profile(() => run().dispose());
    const { milliseconds, reorderMilliseconds } = times.at(-1) as OpTime;
    if (i > 0) seconds.push((milliseconds - reorderMilliseconds) / 1000);
  }
  return Math.min(...seconds);
}

/** Batch, channels, size of a 3x3 convolution that keeps size and channels. */
const convolutions = [
  [32, 64, 56],
  [32, 128, 28],
  [32, 256, 14],
  [16, 256, 28],
] as const;

function candidates(dtype: 'float32' | 'bfloat16', scale: number): Candidate[] {
  const random = (shape: number[]): Tensor => tidy(() => ops.cast(uniform(shape), dtype));
  const list: Candidate[] = convolutions.map(([n, channels, size]) => {
    const batch = Math.max(1, Math.round(n * scale));
    const [x, w] = [random([batch, channels, size, size]), random([channels, channels, 3, 3])];
    return {
      name: `convolution 3x3, [${batch}, ${channels}, ${size}, ${size}]`,
      gflop: (2 * batch * size * size * channels * channels * 9) / 1e9,
      run: () => ops.conv2d(x, w, undefined, { padding: 1 }),
    };
  });
  const order = Math.max(16, Math.round(2048 * scale));
  const [a, b] = [random([order, order]), random([order, order])];
  list.push({
    name: `matrix product of order ${order}`,
    gflop: (2 * order ** 3) / 1e9,
    run: () => ops.dense(a, b),
  });
  return list;
}

async function best(dtype: 'float32' | 'bfloat16', scale: number, repeats: number) {
  let found = { gflops: 0, by: '' };
  for (const { name, gflop, run } of candidates(dtype, scale)) {
    const gflops = Number((gflop / (await leastSeconds(run, repeats))).toFixed(1));
    if (gflops > found.gflops) found = { gflops, by: name };
  }
  return found;
}

async function run(): Promise<void> {
  const values = parseOptions({
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '7' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  });
  const [threads, repeats, scale] = [
    integer('threads', values.threads),
    integer('repeats', values.repeats),
    positive('scale', values.scale),
  ];
  process.env.RESIDUA_TUNE = '0'; // direct convolutions; read when the backend opens, below
  setThreads(threads);
  const source = ones([Math.round((64 << 20) * scale)]); // 256 MiB: far more than the caches hold
  const copySeconds = await leastSeconds(() => ops.copy(source), repeats);
  const peak: Peak = {
    threads,
    float32: await best('float32', scale, repeats),
    bfloat16: devices()[0]?.details.bfloat16 === 'yes' ? await best('bfloat16', scale, repeats) : null,
    copyGBs: Number(((2 * 4 * source.size) / copySeconds / 1e9).toFixed(1)),
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(peak)}\n`);
    return;
  }
  for (const dtype of ['float32', 'bfloat16'] as const)
    if (peak[dtype]) process.stdout.write(`${dtype}: ${peak[dtype].gflops} GFLOP/s, ${peak[dtype].by}\n`);
  process.stdout.write(`copy: ${peak.copyGBs} GB/s\n`);
  writeResult('peak-cpu', { ...peak });
}

await main(run);
