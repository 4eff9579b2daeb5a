// Nets by name on the command line: summary of the family, training one and testing its weights.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** [layer, output shape, parameters, multiply-adds] of each line of a summary's table. */
const rowsOf = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => /\)\s+\(/.test(line))
    .map((line) => line.trim().split(/\s{2,}/));

describe('summary', () => {
  test('prints output shapes, parameters and multiply-adds of each stage', async () => {
    const { status, stdout } = await residua(['summary', 'resnet50', '--input', '3x224x224', '--version', 'v1']);
    expect(status).toBe(0);
    const rows = rowsOf(stdout).slice(1); // after the net's own
    expect(rows.map(([layer]) => layer)).toEqual([
      'conv1 (Conv2D)',
      'bn1 (BatchNorm)',
      'maxpool (MaxPool2D)',
      'layer1 (Sequential)',
      'layer2 (Sequential)',
      'layer3 (Sequential)',
      'layer4 (Sequential)',
      'avgpool (GlobalAvgPool2D)',
      'fc (Dense)',
    ]);
    expect(rows[4]).toEqual(['layer2 (Sequential)', '(1, 512, 28, 28)', '1,226,752', '950,534,144']);
    expect(stdout).toContain('Trainable parameters: 25,557,032');
    expect(stdout).toContain('Multiply-adds: 3,857,973,248');
  });

  test.each([
    [['chapter'], '(1, 10)', '11,178,378'],
    [['chapter-resnet18'], '(1, 10)', '11,178,378'],
    [['resnet18', '--classes', '7', '--input', '2x1x64x64'], '(2, 7)', '11,173,831'],
    [['cifar-resnet20'], '(1, 10)', '269,722'],
    [['cifar-resnet20', '--version', 'v2', '--depth', 'all'], 'layer1.0.conv1', '269,722'],
    [['resnext50-32x4d', '--depth', '2'], 'layer1.0 (Bottleneck)', '25,028,904'],
  ])('%j', async (args, ...parts) => {
    const { status, stdout } = await residua(['summary', ...args]);
    expect(status).toBe(0);
    for (const part of parts) expect(stdout).toContain(part);
  });

  test.each([
    [['summary', 'resnet5O'], "Did you mean 'resnet50'?"],
    [['train', '--model', 'resnet19'], "Did you mean 'resnet18'?"],
    [['summary', 'resnet50', '--version', 'v3'], 'v1.5'],
    [['summary', 'resnet50', '--depth', '0'], "or 'all'"],
    [['summary', 'resnet50', '--input', '3x224'], '--input'],
  ])('wrong usage: %j', async (args, named) => {
    const { status, stdout, stderr } = await residua(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(named);
  });
});

describe('train --model, then eval', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'residua-models-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['cifar-resnet20-v2', [], 28],
    ['resnet18', [], 28],
    ['resnet18', ['--resize', '65'], 65],
  ])('%s %j', async (model, more, side) => {
    const run = join(folder, `${model}-${side}`);
    const args = ['--limit', '24', '--epochs', '1', '--batch-size', '12', '--out', run];
    const { status, stdout, stderr } = await residua(['train', '--model', model, ...more, ...args]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^epoch 1, loss \d/m);
    expect(stderr).not.toContain("chapter's full recipe");
    const history = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    expect(history.model).toBe(model);
    expect(history.net).toMatchObject({ model, classes: 10, inputShape: [1, side, side] });
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain(`${model} on Fashion-MNIST`);
    const limit = String(history.testImages);
    const evaluation = await residua(['eval', join(run, 'weights.safetensors'), '--limit', limit, '--json']);
    expect(evaluation).toMatchObject({ status: 0 });
    expect(JSON.parse(evaluation.stdout).accuracy).toBeCloseTo(history.epochs[0].validation.top1, 12);
  });
});
