// The examples run as they are, on few images.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tryGpu } from '../../lib/index.js';
import { root, runNode } from '../cli/run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-examples-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("chapter.ts prints the chapter's shapes and lines", async () => {
  const script = join(root, 'examples', 'chapter.ts');
  const { status, stdout, stderr } = await runNode([tsx, script, '--limit', '96', '--resize', '28', '--epochs', '1'], {
    cwd: folder,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, 2)).toEqual(['[ 4, 3, 6, 6 ]', '[ 4, 6, 3, 3 ]']);
  expect(lines.slice(2, 12).map((line) => line.replace(/^.*output shape:\s*/, ''))).toEqual([
    '[ 1, 64, 112, 112 ]',
    '[ 1, 64, 112, 112 ]',
    '[ 1, 64, 112, 112 ]',
    '[ 1, 64, 56, 56 ]',
    '[ 1, 64, 56, 56 ]',
    '[ 1, 128, 28, 28 ]',
    '[ 1, 256, 14, 14 ]',
    '[ 1, 512, 7, 7 ]',
    '[ 1, 512, 1, 1 ]',
    '[ 1, 10 ]',
  ]);
  expect(lines[12]).toBe(`training on ${tryGpu()}`);
  expect(lines[13]).toMatch(/^epoch 1, loss \d\.\d{4}, train acc [01]\.\d{3}, test acc [01]\.\d{3}, time \d+\.\d sec$/);
  expect(lines).toHaveLength(14);
});

test('the example of README.md learns, saves and predicts', async () => {
  const code = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] as string;
  const script = join(folder, 'readme.mts');
  writeFileSync(script, code);
  const { status, stdout, stderr } = await runNode([tsx, '--tsconfig', join(root, 'tsconfig.json'), script], {
    cwd: folder,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(Number(/epoch 2, .*test acc ([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThan(0.6);
  expect(existsSync(join(folder, 'net.safetensors'))).toBe(true);
  const [predicted, actual] = ['predicted', 'true'].map((name) => {
    const line = stdout.split('\n').find((candidate) => candidate.startsWith(name)) ?? '';
    return line.replace(name, '').trim().split(' ');
  });
  expect(predicted).toHaveLength(10);
  const correct = (predicted ?? []).filter((guess, i) => guess === actual?.[i]).length;
  expect(correct).toBeGreaterThanOrEqual(5); // chance: 1 of 10
});
