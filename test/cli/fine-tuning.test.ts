// residua train from given weights: options, what is frozen, the line about what was loaded, what is refused.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { addFineTuningOptions, describeReport, type FineTuningOptions, fineTune } from '../../lib/cli/fine-tuning.js';
import { ConfigError, nn } from '../../lib/index.js';
import { readSafetensors } from '../helpers/safetensors.js';
import { residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const parse = (...args: string[]): FineTuningOptions =>
  addFineTuningOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }))
    .parse(args, { from: 'user' })
    .opts();
const makeNet = () => {
  const net = new nn.Sequential().add(new nn.Conv2D(2, { kernelSize: 1 }), new nn.BatchNorm(), new nn.Dense(3));
  net.initialize();
  return net;
};

describe('options', () => {
  it('freeze, multiply and keep statistics by pattern', async () => {
    const net = makeNet();
    const lines: string[] = [];
    const options = parse(
      '--freeze',
      '^[01]\\.',
      '--freeze-statistics',
      '--lr-mult',
      '^2=10',
      '--lr-mult',
      'bias=0.5',
      '--wd-mult',
      'a=b=0',
    );
    expect(options.wdMult).toEqual([{ pattern: /a=b/, factor: 0 }]);
    await fineTune(net, { ...options, wdMult: undefined }, (line) => lines.push(line));
    const parameters = [...net.collectParams()];
    expect(parameters.filter(([, { trainable }]) => trainable).map(([name]) => name)).toEqual(['2.weight', '2.bias']);
    expect(parameters.map(([, { lrMult }]) => lrMult)).toEqual([1, 0.5, 1, 1, 1, 1, 10, 0.5]);
    expect((net.at(1) as nn.BatchNorm).useGlobalStats).toBe(true);
    expect(lines).toEqual(['Frozen: 4 parameters.', 'BatchNorm layers that keep their statistics: 1.']);
  });
  it.each([
    ['--freeze', '('],
    ['--lr-mult', 'fc'],
    ['--lr-mult', '=1'],
    ['--lr-mult', 'fc='],
    ['--lr-mult', 'fc=-1'],
    ['--in-channels', 'mean'],
  ])('%s %s is wrong usage', (...args) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ exitCode: 1 }));
  });
  it.each([
    [['--freeze', 'layer9'], /--freeze expected a pattern that matches a parameter.*layer9/],
    [['--freeze-statistics', 'layer9'], /--freeze-statistics expected a pattern that matches a BatchNorm layer/],
    [['--wd-mult', 'layer9=1'], /--wd-mult/],
    [['--replace-head'], /expected --weights/],
    [['--in-channels', 'sum'], /expected --weights/],
  ])('%j fails', async (args, message) => {
    const failed = fineTune(makeNet(), parse(...args), () => {});
    await expect(failed).rejects.toThrow(ConfigError);
    await expect(failed).rejects.toThrow(message);
  });
  it('a report names what there is to see to', () => {
    const mapped = new Map([['conv1.weight', 'module.conv1.weight']]);
    const report = {
      file: 'a.pth',
      format: 'pytorch',
      names: 'torchvision',
      prefix: 'module.',
      mapped,
      kept: ['fc.weight'],
      adapted: 'conv1.weight',
      missing: ['x'],
      leftOver: ['y', 'z'],
    } as const;
    expect(describeReport(report)).toBe(
      "Loaded 1 tensors from a.pth (pytorch, torchvision's names after 'module.'); kept: fc.weight; adapted to the input channels: conv1.weight; missing: x; left over: y, z.",
    );
  });
});

describe('a run from the weights of another', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'residua-fine-tuning-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('keeps what is frozen, to the bit, and trains the head', async () => {
    const small = ['--limit', '32', '--epochs', '1', '--batch-size', '16', '--resize', '32'];
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    expect(await residua(['train', ...small, '--out', first])).toMatchObject({ status: 0 });
    const weights = join(first, 'weights.safetensors');
    const frozen = ['--weights', weights, '--freeze', '^[0-7]\\.', '--freeze-statistics', '--lr-mult', '^9=2'];
    const { status, stderr } = await residua(['train', ...small, ...frozen, '--seed', '5', '--out', second]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toContain(`Loaded 110 tensors from ${weights} (safetensors, residua's names).`);
    const [before, after] = await Promise.all(
      [first, second].map((run) => readSafetensors(join(run, 'weights.safetensors'))),
    );
    for (const name of before!.tensors.keys()) {
      const [a, b] = [before, after].map((file) => file!.tensors.get(name)!.values);
      if (name.startsWith('9.')) expect(b, name).not.toEqual(a);
      else expect(b, name).toEqual(a);
    }
    expect(JSON.parse(readFileSync(join(second, 'history.json'), 'utf8')).config.weights).toBe(weights);
  });

  test('weights that are not there: one line, nothing written', async () => {
    const { status, stderr } = await residua([
      'train',
      '--limit',
      '32',
      '--weights',
      '/nowhere.pth',
      '--out',
      join(folder, 'none'),
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: \/nowhere\.pth: cannot be read[^\n]*\n$/);
  });
});
