// The chapter's net: its printed shapes, its parameters.
import { describe, expect, it } from 'vitest';
import { ConfigError, models, type nn, residualStage, tidy, uniform } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';

const trainableCount = (net: nn.Block) =>
  [...net.collectParams().values()]
    .filter((p) => p.trainable)
    .reduce((sum, p) => sum + p.shape.reduce((n, d) => n * d, 1), 0);

describe('chapterResNet18', () => {
  it.each(testDevices)("has the chapter's ten output shapes and 11,178,378 trainable parameters on %s", (device) => {
    const net = models.chapterResNet18();
    net.initialize({ device });
    const shapes: (readonly number[])[] = [];
    tidy(() => {
      let x = uniform([1, 1, 224, 224], { device });
      for (const layer of net) {
        x = layer.forward(x);
        shapes.push(x.shape);
      }
    });
    expect(shapes).toEqual([
      [1, 64, 112, 112],
      [1, 64, 112, 112],
      [1, 64, 112, 112],
      [1, 64, 56, 56],
      [1, 64, 56, 56],
      [1, 128, 28, 28],
      [1, 256, 14, 14],
      [1, 512, 7, 7],
      [1, 512, 1, 1],
      [1, 10],
    ]);
    expect(trainableCount(net)).toBe(11_178_378);
  });
  it('has the structural names of the contract', () => {
    const names = [...models.chapterResNet18().collectParams().keys()];
    expect(names.slice(0, 7)).toEqual([
      '0.weight',
      '0.bias',
      '1.gamma',
      '1.beta',
      '1.runningMean',
      '1.runningVar',
      '4.0.conv1.weight',
    ]);
    expect(names.slice(-2)).toEqual(['9.weight', '9.bias']);
    expect(names.filter((name) => name.includes('conv3'))).toEqual(
      ['5', '6', '7'].flatMap((stage) => [`${stage}.0.conv3.weight`, `${stage}.0.conv3.bias`]),
    );
  });
  it.each(testDevices)('gives the same output as its layers one by one, fused or not, on %s', (device) => {
    const net = models.chapterResNet18({ classes: 4 });
    net.initialize({ device });
    const x = uniform([2, 1, 32, 32], { device });
    const whole = net.forward(x).dataSync();
    const single = tidy(() => [...net].reduce((y, layer) => layer.forward(y), x)).dataSync();
    expect(whole.length).toBe(8);
    whole.forEach((v, i) => {
      expect(v).toBeCloseTo(single[i] as number, 5);
    });
  });
  it('refuses bad options', () => {
    expect(() => models.chapterResNet18({ classes: 0 })).toThrow(ConfigError);
    expect(() => models.chapterResNet18({ numClasses: 3 } as object)).toThrow(/numClasses/);
  });
});

describe('residualStage', () => {
  it('halves once, unless it is the first stage', () => {
    const first = residualStage(4, 2, true);
    expect([...first].map((block) => (block as nn.Residual).conv3 !== null)).toEqual([false, false]);
    const later = residualStage(8, 3);
    expect([...later].map((block) => (block as nn.Residual).conv3 !== null)).toEqual([true, false, false]);
    later.initialize();
    expect(later.forward(uniform([1, 4, 8, 8])).shape).toEqual([1, 8, 4, 4]);
  });
  it('refuses counts that are none', () => {
    expect(() => residualStage(0, 1)).toThrow(ConfigError);
    expect(() => residualStage(4, 1.5)).toThrow(/numResiduals/);
  });
});
