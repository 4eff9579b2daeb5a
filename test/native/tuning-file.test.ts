// The file that keeps the tuner's choices from one process to the next.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root, runNode } from '../cli/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'residua-tuning-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// A convolution that is large enough to be timed: 64 -> 64 channels, 3x3, 28x28, batch 20.
const script = `
  import { ops, setTuning, uniform } from 'residua';
  setTuning(process.env.TEST_TUNING !== 'off');
  const y = ops.conv2d(uniform([20, 64, 28, 28]), uniform([64, 64, 3, 3]), undefined, { padding: 1 });
  console.log(y.shape.join(), Number.isFinite((await y.data())[0]));`;

const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
async function runScript(text: string, env: Record<string, string>): Promise<string> {
  const file = join(folder, 'convolve.mts');
  writeFileSync(file, text);
  const { stdout, ...run } = await runNode([tsx, '--tsconfig', join(root, 'tsconfig.json'), file], { env });
  expect(run).toEqual({ status: 0, stderr: '' });
  return stdout;
}
/** The file is tested beside other tests: what is timed under load is kept too. */
async function convolve(env: Record<string, string>): Promise<void> {
  expect(await runScript(script, { RESIDUA_TUNE: 'keep', ...env })).toBe('20,64,28,28 true\n');
}
const kept = (): string[] => readdirSync(folder).filter((name) => name.startsWith('convolutions-'));
const linesOf = (name: string): string[] => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');

test('a choice is written, and read by the next process', async () => {
  await convolve({ RESIDUA_TUNING_CACHE: folder });
  const [file, ...more] = kept();
  if (file === undefined) return; // this oneDNN has one algorithm alone: nothing was chosen
  expect(more).toEqual([]);
  const line = linesOf(file)[0] as string;
  const [key, choice] = line.split('\t') as [string, string];
  expect(key).toMatch(
    /^conv2d float32 \[20, 64, 28, 28\]\[64, 64, 3, 3\]\[20, 64, 28, 28\](\[\d, \d\]){3} threads \d+$/,
  );
  expect(choice).toMatch(/^(direct|winograd|libraryWinograd)$/);
  const flipped = `${key}\t${choice === 'direct' ? 'winograd' : 'direct'}`;
  writeFileSync(join(folder, file), `${flipped}\n`); // a second timing would very likely choose the other again
  await convolve({ RESIDUA_TUNING_CACHE: folder });
  expect(linesOf(file)).toEqual([flipped]);
});

test('an algorithm that this version does not know is timed anew', async () => {
  for (const file of kept()) {
    const [key] = (linesOf(file)[0] as string).split('\t');
    writeFileSync(join(folder, file), `${key}\tfft\n`);
    await convolve({ RESIDUA_TUNING_CACHE: folder });
    expect(linesOf(file)).toEqual([expect.stringMatching(/\t(direct|winograd|libraryWinograd)$/)]);
  }
});

test('lines that make no sense are left out', async () => {
  for (const file of kept()) {
    writeFileSync(join(folder, file), 'nonsense\n\tx\n\0\0\n');
    await convolve({ RESIDUA_TUNING_CACHE: folder });
    expect(linesOf(file)).toHaveLength(1);
  }
});

// Of ones, so that sums are exact in whatever order: 3x3 on 2x2 images meets four pixels everywhere.
const tiny = `
  import { autograd, ones, ops } from 'residua';
  const [x, w] = [ones([128, 128, 2, 2]), ones([128, 128, 3, 3])];
  for (const input of [x, w]) input.requiresGrad = true;
  const y = autograd.record(() => ops.conv2d(x, w, undefined, { padding: 1 }));
  y.backward(ones(y.shape));
  console.log([y, x.grad, w.grad].map((each) => [...new Set(each.dataSync())].sort().join()).join(' '));`;

test('products of matrices are timed for tiny images, and give the same', async () => {
  for (const file of kept()) rmSync(join(folder, file));
  for (let run = 0; run < 2; run++) {
    expect(await runScript(tiny, { RESIDUA_TUNE: 'keep', RESIDUA_TUNING_CACHE: folder })).toBe('512 512 128,256,512\n');
    const lines = kept().flatMap(linesOf);
    expect(lines).toEqual([
      expect.stringMatching(/^conv2d float32 .*\t(direct|winograd|matrix)$/),
      expect.stringMatching(/^conv2dBackwardData float32 .*\t(direct|winograd|matrix)$/),
      expect.stringMatching(/^conv2dBackwardWeights float32 .*\t(direct|winograd|tapProducts|outerProducts)$/),
    ]);
  }
});

// Two threads that share one core: each waits while the other computes.
const crowded = `
  import { execFileSync } from 'node:child_process';
  import { readFileSync } from 'node:fs';
  import { ops, setThreads, uniform } from 'residua';
  const [core] = /Cpus_allowed_list:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8')).slice(1);
  execFileSync('taskset', ['-a', '-c', '-p', core, String(process.pid)]);
  setThreads(2);
  await ops.conv2d(uniform([80, 64, 28, 28]), uniform([64, 64, 3, 3]), undefined, { padding: 1 }).data();`;

test('what is timed while others use the cores is kept only where that is asked for', async () => {
  const keptAfter = async (text: string, env: Record<string, string>): Promise<number> => {
    for (const file of kept()) rmSync(join(folder, file));
    await runScript(text, { RESIDUA_TUNING_CACHE: folder, ...env });
    return kept().flatMap(linesOf).length;
  };
  const chosen = await keptAfter(crowded, { RESIDUA_TUNE: 'keep' });
  if (chosen === 0) return; // one algorithm alone: nothing was chosen
  expect(chosen).toBe(1);
  expect(await keptAfter(crowded, {})).toBe(0);
  // Small enough that on a busy machine, too, some of them run between two turns of other programs.
  const small = `
    import { ops, setThreads, uniform } from 'residua';
    setThreads(1);
    for (let batch = 2; batch < 18; batch++)
      await ops.conv2d(uniform([batch, 64, 28, 28]), uniform([64, 64, 3, 3]), undefined, { padding: 1 }).data();`;
  expect(await keptAfter(small, {})).toBeGreaterThan(0);
});

// Planned a little at a time, as a captured function's program is.
const gently = `
  import { setTimeout } from 'node:timers/promises';
  import { backendOf, cpu } from '${root}/lib/device.js';
  import { ops, ones } from 'residua';
  const backend = backendOf(cpu());
  const leaves = [ones([24, 64, 28, 28]).native, ones([64, 64, 3, 3]).native];
  const attributes = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
  const program = backend.compile([{ op: 'conv2d', attributes, inputs: [0, 1], outputCount: 1 }], leaves, [2], 0);
  const found = new Set();
  while (!found.has('planned')) {
    found.add(program.plan(leaves, 0));
    await setTimeout(5);
  }
  const y = backend.read(program.run(leaves)[0]); // [24, 64, 28, 28]
  console.log([...found].join(), Math.round(y[0]), Math.round(y[29]));`; // in the corner, and inside

test('planning that may not wait says that algorithms are being timed, and has their choice later', async () => {
  for (const file of kept()) rmSync(join(folder, file));
  const output = await runScript(gently, { RESIDUA_TUNE: 'keep', RESIDUA_TUNING_CACHE: folder });
  const chosen = kept().flatMap(linesOf);
  expect(output).toBe(`${chosen.length === 1 ? 'timing,more,planned' : 'planned'} 256 576\n`);
});

test.each([
  ['a folder that cannot be written to', { RESIDUA_TUNING_CACHE: '/proc/none' }],
  ['no folder', { RESIDUA_TUNING_CACHE: '' }],
  ['no tuning', { RESIDUA_TUNE: '0', RESIDUA_TUNING_CACHE: folder }],
  ['tuning switched off in code', { TEST_TUNING: 'off', RESIDUA_TUNING_CACHE: folder }],
])('%s is no error', async (_, env) => {
  for (const file of kept()) rmSync(join(folder, file));
  await convolve(env);
  expect(kept()).toEqual([]);
});
