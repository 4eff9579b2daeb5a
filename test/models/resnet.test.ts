// The family: sizes as published, options, names, first values, wrong arguments.
import { describe, expect, test } from 'vitest';
import { ConfigError, models, type nn, seed, tidy, uniform, zeros } from '../../lib/index.js';
import { sizeOf } from '../helpers/values.js';

const trainedCount = (net: nn.Block): number =>
  [...net.collectParams().values()].filter((p) => p.trainable).reduce((sum, p) => sum + sizeOf(p.shape), 0);

const multiplyAdds = (net: nn.Block, shape: number[]): number => {
  const [, digits = ''] = /^Multiply-adds: ([\d,]+)$/m.exec(net.summary(shape, { depth: 1 })) ?? [];
  return Number(digits.replaceAll(',', ''));
};

describe("parameters as torchvision's", () => {
  test.each([
    ['resnet18', 11_689_512],
    ['resnet34', 21_797_672],
    ['resnet50', 25_557_032],
    ['resnet50-v1', 25_557_032],
    ['resnet101', 44_549_160],
    ['resnet152', 60_192_808],
    ['wide-resnet50-2', 68_883_240],
    ['wide-resnet101-2', 126_886_696],
    ['resnext50-32x4d', 25_028_904],
    ['resnext101-32x8d', 88_791_336],
  ])('%s: %i', (name, expected) => expect(trainedCount(models.byName(name))).toBe(expected));

  test('constructors are the rows of the table', () => {
    const { resnet18, resnet34, resnet50, resnet101, resnet152, wideResNet50, wideResNet101, resnext50, resnext101 } =
      models;
    const small = { widths: [4, 8, 8, 8], classes: 3 };
    const nets = [
      resnet18,
      resnet34,
      resnet50,
      resnet101,
      resnet152,
      wideResNet50,
      wideResNet101,
      resnext50,
      resnext101,
    ];
    const blocks = nets.map((make) => make(small).architecture.blocks.reduce((sum, n) => sum + n, 0));
    expect(blocks).toEqual([8, 16, 16, 33, 50, 16, 33, 16, 33]);
    expect(resnext101(small).architecture).toMatchObject({ groups: 32, widthPerGroup: 8 });
    expect(wideResNet101(small).architecture).toMatchObject({ groups: 1, widthPerGroup: 128 });
  });
});

describe("CIFAR nets' parameters in millions, as in the papers", () => {
  test.each([
    [20, 0.27],
    [32, 0.46],
    [44, 0.66],
    [56, 0.85],
    [110, 1.7],
    [164, 1.7],
  ])('%i layers: %f', (depth, expected) => {
    const digits = expected < 1 ? 2 : 1;
    expect((trainedCount(models.cifarResNet(depth)) / 1e6).toFixed(digits)).toBe(expected.toFixed(digits));
  });

  test('1001 layers: 10.2, with the projections of its stages 10.3', () => {
    const net = models.cifarResNet(1001);
    expect(trainedCount(net)).toBe(10_327_706);
    expect(net.architecture).toMatchObject({ version: 'v2', block: 'bottleneck', blocks: [111, 111, 111] });
  });
});

describe("multiply-adds at 224x224 within 2% of the paper's table 1", () => {
  test.each([
    ['resnet18-v1', 1.8e9],
    ['resnet34-v1', 3.6e9],
    ['resnet50-v1', 3.8e9],
    ['resnet101-v1', 7.6e9],
    ['resnet152-v1', 11.3e9],
    ['resnet50', 4.1e9],
  ])('%s', (name, expected) => {
    const found = multiplyAdds(models.byName(name), [1, 3, 224, 224]);
    expect(Math.abs(found / expected - 1)).toBeLessThan(0.02);
  });
});

describe('options', () => {
  const widths = [4, 8, 8, 8];

  test('the architecture makes the net again', () => {
    const net = models.resnet50({ version: 'v2', stem: 'cifar', classes: 3, inChannels: 2, widths, groups: 2 });
    const again = new models.ResNet(net.architecture);
    const shapes = (each: nn.Block) => [...each.collectParams()].map(([name, { shape }]) => [name, [...shape]]);
    expect(shapes(again)).toEqual(shapes(net));
  });

  test("structural names are torchvision's, in v2 those of blocks before activation", () => {
    const names = (version: models.ResNetVersion) => [
      ...models
        .resnet50({ version, widths })
        .collectParams(/^(conv1|bn1|layer1\.0|bn|fc)\b.*(weight|gamma)$/)
        .keys(),
    ];
    expect(names('v1.5')).toEqual([
      'conv1.weight',
      'bn1.gamma',
      'layer1.0.conv1.weight',
      'layer1.0.bn1.gamma',
      'layer1.0.conv2.weight',
      'layer1.0.bn2.gamma',
      'layer1.0.conv3.weight',
      'layer1.0.bn3.gamma',
      'layer1.0.downsample.0.weight',
      'layer1.0.downsample.1.gamma',
      'fc.weight',
    ]);
    expect(names('v2')).toEqual([
      'conv1.weight',
      'layer1.0.bn1.gamma',
      'layer1.0.conv1.weight',
      'layer1.0.bn2.gamma',
      'layer1.0.conv2.weight',
      'layer1.0.bn3.gamma',
      'layer1.0.conv3.weight',
      'layer1.0.downsample.0.weight',
      'bn.gamma',
      'fc.weight',
    ]);
  });

  test.each(['v1', 'v1.5', 'v2'] as const)('zeroInitResidual, %s: blocks begin as their shortcuts', (version) => {
    seed(3);
    const net = models.cifarResNet(20, { version, zeroInitResidual: true, widths: [4, 8, 16] });
    net.initialize();
    const stage = net.layer1; // of equal shapes
    const x = uniform([2, 4, 6, 6]); // not below 0, where the v1 blocks' last ReLU would show
    expect(stage.forward(x).dataSync()).toEqual(x.dataSync());
    const last = version === 'v2' ? 'conv2.weight' : 'bn2.gamma';
    for (const [name, parameter] of net.collectParams(/layer/)) {
      if (!name.endsWith('.weight') && !name.endsWith('.gamma')) continue;
      const isZero = parameter
        .data()
        .dataSync()
        .every((value) => value === 0);
      expect({ name, isZero }).toEqual({ name, isZero: name.endsWith(last) });
    }
  });

  test("first values are torchvision's: normal with variance 2 / fan out, the classifier within 1 / sqrt(fan in)", () => {
    seed(1);
    const net = models.resnet18();
    net.initialize();
    const weight = net.collectParams().get('layer4.1.conv2.weight')!.data().dataSync() as Float32Array;
    const variance = weight.reduce((sum, value) => sum + value * value, 0) / weight.length;
    expect(variance * ((512 * 9) / 2)).toBeCloseTo(1, 2);
    const classifier = net.fc.weight.data().dataSync() as Float32Array;
    const largest = classifier.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest * Math.sqrt(512)).toBeGreaterThan(0.999);
    expect(largest * Math.sqrt(512)).toBeLessThanOrEqual(1);
  });

  test('without shortcuts a net has the parameters of the same net with shortcuts that have none', () => {
    const plain = models.cifarResNet(20, { residual: false });
    expect(trainedCount(plain)).toBe(trainedCount(models.cifarResNet(20)));
    expect(trainedCount(models.resnet50({ residual: false }))).toBeLessThan(trainedCount(models.resnet50()));
  });
});

describe('odd inputs', () => {
  test.each([
    ['resnet18', [1, 3, 33, 47]],
    ['resnet50-v1', [2, 3, 1, 1]],
    ['resnet50-v2', [1, 3, 31, 64]],
    ['cifar-resnet20', [3, 3, 29, 7]],
    ['cifar-resnet20-v2', [1, 3, 1, 5]],
  ])('%s takes %j', (name, shape) => {
    const widths = name.startsWith('cifar') ? [4, 8, 16] : [4, 8, 8, 8];
    const net = models.byName(name, { widths, classes: 5 });
    net.initialize();
    const scores = tidy(() => net.forward(zeros(shape)));
    expect(scores.shape).toEqual([shape[0], 5]);
    expect([...scores.dataSync()].every(Number.isFinite)).toBe(true);
  });
});

describe('wrong arguments are ConfigErrors that name them', () => {
  test.each([
    [() => models.resnet(20 as 18), /depth of 18, 34, 50, 101, 152, got 20/],
    [() => models.cifarResNet(21), /6n \+ 2 .* got 21/],
    [() => models.cifarResNet(2), /got 2/],
    [() => models.cifarResNet(32, { bottleneck: true }), /with bottlenecks/],
    [() => models.resnet18({ version: 'v3' as 'v2' }), /version/],
    [() => models.resnet18({ stem: 'mnist' as 'cifar' }), /stem/],
    [() => models.resnet18({ classes: 0 }), /classes/],
    [() => models.resnet18({ widths: [1, 2, 3] }), /widths .* 4 numbers/],
    [() => models.resnet18({ widths: [1, 2, 3, 0] }), /widths\[3\]/],
    [() => models.resnet18({ groups: 32 }), /groups 1 .*not bottlenecks/],
    [() => models.resnet50({ residual: false, zeroInitResidual: true }), /zeroInitResidual/],
    [() => models.resnet18({ shortcut: 'pad', widths: [4, 6, 8, 8] }), /multiple of inChannels.*'projection'/],
    [() => models.resnet18({ heads: 2 } as object), /heads/],
    [() => models.byName('chapter-resnet18', { stem: 'cifar' }), /stem/],
  ])('%#: %s', (make, message) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  test.each([
    ['resnet5O', 'resnet50'],
    ['ResNet-101', 'resnet101'],
    ['cifar_resnet20', 'cifar-resnet20'],
    ['resnext50', 'resnext50-32x4d'],
    ['chapter', 'chapter-resnet18'],
  ])('%s: did you mean %s?', (name, nearest) => {
    expect(() => models.byName(name)).toThrow(ConfigError);
    expect(() => models.byName(name)).toThrow(`Did you mean '${nearest}'?`);
  });
});
