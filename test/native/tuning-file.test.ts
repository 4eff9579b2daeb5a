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
async function convolve(env: Record<string, string>): Promise<void> {
  const file = join(folder, 'convolve.mts');
  writeFileSync(file, script);
  const run = await runNode([tsx, '--tsconfig', join(root, 'tsconfig.json'), file], { env });
  expect(run).toEqual({ status: 0, stdout: '20,64,28,28 true\n', stderr: '' });
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
  expect(choice).toMatch(/^(direct|winograd)$/);
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
    expect(linesOf(file)).toEqual([expect.stringMatching(/\t(direct|winograd)$/)]);
  }
});

test('lines that make no sense are left out', async () => {
  for (const file of kept()) {
    writeFileSync(join(folder, file), 'nonsense\n\tx\n\0\0\n');
    await convolve({ RESIDUA_TUNING_CACHE: folder });
    expect(linesOf(file)).toHaveLength(1);
  }
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
