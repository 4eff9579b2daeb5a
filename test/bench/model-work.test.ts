// The arithmetic of the measured nets, against figures worked out by hand and published ones.
import { describe, expect, test } from 'vitest';
import { workOf } from '../../bench/model-work.js';
import { modelOf } from '../../bench/models.js';

/** GFLOP of the chapter's ResNet-18 at 96x96, layer by layer: output side squared, channels out, channels in, kernel squared. */
const chapterLayers: readonly (readonly [number, number, number, number])[] = [
  [48, 64, 1, 49],
  ...Array.from({ length: 4 }, () => [24, 64, 64, 9] as const),
  ...[
    [12, 128, 64],
    [6, 256, 128],
    [3, 512, 256],
  ].flatMap(([side, out, into]) => [
    [side!, out!, into!, 9] as const,
    ...Array.from({ length: 3 }, () => [side!, out!, out!, 9] as const),
    [side!, out!, into!, 1] as const,
  ]),
  [1, 10, 512, 1],
];

describe('the work of a net', () => {
  test("of the chapter's ResNet-18", () => {
    const gflop = chapterLayers.map(([side, out, into, kernel]) => (2 * side * side * out * into * kernel) / 1e9);
    const forward = gflop.reduce((sum, each) => sum + each, 0);
    const { inference, training } = workOf(modelOf('r18@96'));
    expect(inference).toBeCloseTo(forward, 9);
    expect(training).toBeCloseTo(3 * forward - gflop[0]!, 9);
    expect(inference).toBeCloseTo(0.637, 3);
    expect(training).toBeCloseTo(1.897, 3);
  });

  test('of ResNet-50: 4.09 billion multiplications', () => {
    expect(workOf(modelOf('resnet50@224')).inference / 2).toBeCloseTo(4.09, 2);
  });

  test('of nets of the family, groups and pre-activation included', () => {
    expect(workOf(modelOf('resnext50-32x4d@224')).inference / 2).toBeCloseTo(4.23, 2); // torchvision's table: 4.23 GFLOPS
    expect(workOf(modelOf('cifar-resnet20@32')).inference / 2).toBeCloseTo(0.041, 3);
    expect(['wide-resnet50-2@224', 'resnet18-v2@64', 'cifar-resnet56@32'].map((name) => modelOf(name).title)).toEqual([
      'Wide ResNet-50-2 at 224x224',
      'ResNet-18 v2 at 64x64',
      'CIFAR ResNet-56 at 32x32',
    ]);
  });

  test('unknown models are refused', () => {
    for (const name of ['r18', 'r18@0', 'resnet20@32', 'vgg@224', 'r18@96x'])
      expect(() => modelOf(name)).toThrow(/r18@SIZE/);
  });
});
