// Nets of a depth of their own.
import { describe, expect, it } from 'vitest';
import { ConfigError, models, type nn, tensor } from '../../lib/index.js';

const shapesOf = (net: nn.Block): [string, readonly number[]][] =>
  [...net.collectParams()].map(([name, { shape }]) => [name, shape]);

describe('customResNet', () => {
  it('is a net of the table where it has the blocks of one', () => {
    expect(shapesOf(models.customResNet({ blocks: [2, 2, 2, 2] }))).toEqual(shapesOf(models.resnet18()));
    expect(shapesOf(models.customResNet({ block: 'bottleneck', blocks: [3, 4, 6, 3], version: 'v2' }))).toEqual(
      shapesOf(models.resnet50({ version: 'v2' })),
    );
    const cifar = { blocks: [3, 3, 3], widths: [16, 32, 64], stem: 'cifar', shortcut: 'pad', classes: 10 } as const;
    expect(shapesOf(models.byName('resnet', cifar))).toEqual(shapesOf(models.cifarResNet(20)));
  });

  it.each([1, 2, 3])('may have %i stages', (stages) => {
    const net = models.customResNet({ blocks: [1, 2, 2].slice(0, stages), classes: 7, inChannels: 1, stem: 'cifar' });
    net.initialize();
    const scores = net.forward(tensor(new Float32Array(2 * 8 * 8), { shape: [2, 1, 8, 8] }));
    expect(scores.shape).toEqual([2, 7]);
    expect(shapesOf(net)).toContainEqual(['fc.weight', [7, 64 * 2 ** (stages - 1)]]);
    expect([net.layer1, net.layer2, net.layer3, net.layer4].filter((stage) => stage !== null).length).toBe(stages);
  });

  it.each<[models.CustomResNetOptions, RegExp]>([
    [{}, /expected blocks to be a list of 1 to 4 numbers, one a stage, such as \[1, 2, 2\], got undefined/],
    [{ blocks: [] }, /blocks to be a list of 1 to 4 numbers/],
    [{ blocks: [1, 1, 1, 1, 1] }, /blocks to be a list of 1 to 4 numbers/],
    [{ blocks: [1, 0] }, /blocks\[1\] to be an integer of at least 1, got 0/],
    [{ blocks: [1], block: 'wide' as 'basic' }, /block to be 'basic' or 'bottleneck', got "wide"/],
    [{ blocks: [1, 1], widths: [8] }, /widths to be an array of 2 numbers/],
  ])('refuses %j', (options, message) => {
    expect(() => models.customResNet(options)).toThrow(ConfigError);
    expect(() => models.customResNet(options)).toThrow(message);
  });

  it('is not what other names are given', () => {
    const blocks = { blocks: [1, 1, 1, 1] };
    expect(() => models.byName('resnet18', blocks)).toThrow(/does not know the option 'blocks'/);
  });
});
