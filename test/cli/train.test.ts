// residua train and eval from outside: the files, the chapter's lines, the same accuracy from the saved weights.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { supports, testDevices } from '../helpers/devices.js';
import { residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const epochLine = /^epoch 1, loss \d+\.\d{4}, train acc [01]\.\d{3}, test acc [01]\.\d{3}, time \d+\.\d sec$/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-train-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a small run', () => {
  const args = ['train', '--no-tune', '--limit', '64', '--epochs', '1', '--batch-size', '32', '--seed', '7'];
  let run: string;

  beforeAll(async () => {
    run = join(folder, 'small');
    const { status, stdout, stderr } = await residua([...args, '--out', run]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe('training on cpu');
    expect(lines[1]).toMatch(epochLine);
    expect(stderr).toContain('28x28 pixels, 1 epoch (the chapter: 96x96, 5 epochs, on a GPU)');
    expect(stderr).toContain('--resize 96 --epochs 5');
  });

  test('writes config, weights, history, logs, checkpoints and reports, and nothing else', () => {
    const logs = ['checkpoints', 'config.json', 'history.json', 'metrics.jsonl', 'report.html', 'report.svg'];
    expect(readdirSync(run).sort()).toEqual([...logs, 'tensorboard', 'weights.safetensors']);
    const history = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    expect(history.config).toMatchObject({
      model: 'chapter-resnet18',
      data: { name: 'fashion-mnist', size: 28, limit: 64 },
      epochs: 1,
      batchSize: 32,
      optimizer: { learningRate: 0.05, momentum: 0, weightDecay: 0 },
      seed: 7,
      device: 'cpu',
    });
    expect(JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'))).toEqual(history.config);
    expect(history).toMatchObject({ trainImages: 64, testImages: 11, parameters: 11_178_378, stopped: null });
    expect(history).toMatchObject({ interrupted: false, environment: { node: process.versions.node, device: 'cpu' } });
    expect(history.epochs).toHaveLength(1);
    const report = readFileSync(join(run, 'report.svg'), 'utf8');
    expect(report.match(/<image /g)).toHaveLength(history.testImages);
  });

  test('eval gives the same accuracy from the saved weights', async () => {
    const history = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    const limit = String(history.testImages);
    const { status, stdout } = await residua(['eval', join(run, 'weights.safetensors'), '--limit', limit, '--json']);
    expect(status).toBe(0);
    const evaluation = JSON.parse(stdout);
    expect(evaluation.accuracy).toBeCloseTo(history.epochs[0].validation.top1, 12);
    expect(evaluation).toMatchObject({ resize: 28, images: history.testImages });
    const correct = evaluation.perClass.reduce((sum: number, entry: { correct: number }) => sum + entry.correct, 0);
    expect(correct / evaluation.images).toBeCloseTo(evaluation.accuracy, 12);
  });

  test('eval prints a row per class', async () => {
    const { status, stdout } = await residua(['eval', join(run, 'weights.safetensors'), '--limit', '50']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /50 test images of 28x28 pixels on cpu\nloss \d+\.\d{4}, acc [01]\.\d{4}, top-5 [01]\.\d{4}\n/,
    );
    expect(stdout).toContain('ankle boot');
  });

  test('the same seed gives the same run', async () => {
    const again = join(folder, 'again');
    expect((await residua([...args, '--out', again])).status).toBe(0);
    const epochs = [run, again].map((path) => JSON.parse(readFileSync(join(path, 'history.json'), 'utf8')).epochs[0]);
    expect(epochs[1].loss).toBe(epochs[0].loss);
    const weights = [run, again].map((path) => readFileSync(join(path, 'weights.safetensors')));
    expect(weights[1]?.equals(weights[0] as Buffer)).toBe(true);
  });

  test('never writes over another run', async () => {
    const { status, stdout, stderr } = await residua([...args, '--out', run]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('holds a run already');
  });
});

describe.each(testDevices)('--precision on %s', (device) => {
  const halves = (['bfloat16', 'float16'] as const).filter((dtype) => supports(device, dtype));
  const args = ['--device', device.name, '--limit', '32'];

  test.each(halves)('%s trains and evaluates', async (precision) => {
    const run = join(folder, `${device}-${precision}`);
    const small = ['--resize', '28', '--epochs', '1', '--batch-size', '16', '--precision', precision, '--out', run];
    const { status, stdout, stderr } = await residua(['train', ...args, ...small]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^epoch 1, loss \d\.\d{4}, /m);
    const history = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    expect(history).toMatchObject({ config: { precision, device: device.name } });
    // float16 skips steps whose gradients overflow, and says so.
    const { skippedSteps } = history;
    if (precision === 'bfloat16') expect(skippedSteps).toBe(0);
    if (skippedSteps > 0) expect(stderr).toContain(`${skippedSteps} of 2 steps were skipped`);
    else expect(stderr).not.toContain('skipped');
    const weights = join(run, 'weights.safetensors');
    const evaluation = await residua(['eval', weights, ...args, '--precision', precision, '--json']);
    expect(evaluation).toMatchObject({ status: 0 });
    expect(JSON.parse(evaluation.stdout)).toMatchObject({ precision, images: 32, device: device.name });
  });

  test.skipIf(halves.includes('float16'))('float16 is refused before anything is written', async () => {
    const run = join(folder, `${device}-refused`);
    const { status, stderr } = await residua(['train', ...args, '--precision', 'float16', '--out', run]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: Precision float16 expected a device that has it, got cpu[^\n]*\n$/);
    expect(existsSync(run)).toBe(false);
  });
});

test('by default a run goes to runs/<date_time>', async () => {
  const { status, stderr } = await residua(['train', '--limit', '32', '--epochs', '1', '--no-tensorboard'], {
    cwd: folder,
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const [name, ...others] = readdirSync(join(folder, 'runs'));
  expect(others).toEqual([]);
  expect(name).toMatch(/^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d$/);
});
