// The blocks of the family: shapes, gradients by finite differences, the padded shortcut, wrong arguments.
import { describe, expect, test } from 'vitest';
import { autograd, ConfigError, nn, seed, tensor, uniform } from '../../lib/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { expectClose } from '../helpers/tolerances.js';
import { uniformValues } from '../helpers/values.js';

/** A plain loop: x's every `strides`-th pixel, then channels of zeros. */
function padded(x: ArrayLike<number>, [n, c, h, w]: number[], channels: number, strides: number) {
  const [oh, ow] = [Math.ceil(h! / strides), Math.ceil(w! / strides)];
  const y = new Float32Array(n! * channels * oh * ow);
  for (let i = 0; i < n!; i++)
    for (let j = 0; j < c!; j++)
      for (let r = 0; r < oh; r++)
        for (let s = 0; s < ow; s++)
          y[((i * channels + j) * oh + r) * ow + s] = x[((i * c! + j) * h! + r * strides) * w! + s * strides]!;
  return { y, shape: [n, channels, oh, ow] };
}

onEachDevice(() => {
  describe('PadShortcut', () => {
    test.each([
      [[2, 3, 5, 7], 6, 2],
      [[1, 1, 4, 4], 3, 1],
      [[3, 2, 1, 1], 4, 2],
      [[1, 4, 6, 3], 4, 3],
    ])('%j -> %i channels, strides %i: values and gradient', (shape, channels, strides) => {
      const values = uniformValues(
        shape.reduce((a, b) => a * b),
        1,
      );
      const x = tensor(values, { shape });
      x.requiresGrad = true;
      const block = new nn.PadShortcut(channels, { inChannels: shape[1]!, strides });
      const y = autograd.record(() => block.forward(x));
      const expected = padded(values, shape, channels, strides);
      expect(y.shape).toEqual(expected.shape);
      expectClose(y.dataSync(), expected.y, { rtol: 0, atol: 0 });
      const head = uniformValues(y.size, 2);
      y.backward(tensor(head, { shape: [...y.shape] }));
      // Each pixel taken gets its own gradient back; the transpose by <pad(x), head> = <x, grad>.
      const inner = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((s, v, i) => s + v * b[i]!, 0);
      const gradient = x.grad!.dataSync();
      expect(inner(values, gradient)).toBeCloseTo(inner(expected.y, head), 4);
      const touched = [...padded(gradient, shape, channels, strides).y].filter((v) => v !== 0).length;
      expect([...gradient].filter((v) => v !== 0)).toHaveLength(touched);
    });

    test('has no parameters', () => {
      expect(new nn.PadShortcut(4, { inChannels: 2, strides: 2 }).collectParams().size).toBe(0);
    });
  });

  describe('gradients by finite differences', () => {
    const blocks: [string, () => nn.Block][] = [
      ['BasicBlock', () => new nn.BasicBlock(4, { inChannels: 2, strides: 2 })],
      ['BasicBlock, padded', () => new nn.BasicBlock(4, { inChannels: 2, strides: 2, shortcut: 'pad' })],
      ['BasicBlock, plain', () => new nn.BasicBlock(2, { inChannels: 2, residual: false })],
      ['Bottleneck', () => new nn.Bottleneck(2, { inChannels: 3, strides: 2, stridesOn: '1x1' })],
      ['Bottleneck, groups', () => new nn.Bottleneck(2, { inChannels: 8, groups: 2, widthPerGroup: 64 })],
      ['PreActBasicBlock', () => new nn.PreActBasicBlock(4, { inChannels: 2, strides: 2 })],
      ['PreActBottleneck', () => new nn.PreActBottleneck(2, { inChannels: 8 })],
      ['PreActBottleneck, projected', () => new nn.PreActBottleneck(1, { inChannels: 2, strides: 2 })],
    ];
    test.each(blocks)('%s', (_, make) => {
      seed(11);
      const block = make();
      block.initialize();
      // Far from the ReLUs' kinks, so that a small step stays on one side.
      for (const [name, parameter] of block.collectParams(/beta$/))
        parameter.setData(uniformValues(parameter.shape[0]!, name.length, 0.5, 3));
      const inChannels = block.collectParams().get('conv1.weight')!.shape[1]!;
      const x = uniform([2, inChannels, 4, 5], { low: -1, high: 1 });
      autograd.gradCheck((input) => block.forward(input), [x], { eps: 1e-2, rtol: 2e-2, atol: 2e-2 });
    });
  });
});

describe('wrong arguments', () => {
  test.each([
    [() => new nn.BasicBlock(4, {} as nn.ResidualBlockOptions), /BasicBlock expected inChannels/],
    [() => new nn.BasicBlock(0, { inChannels: 1 }), /channels/],
    [() => new nn.PreActBasicBlock(4, { inChannels: 1, groups: 2 } as object as nn.ResidualBlockOptions), /groups/],
    [() => new nn.Bottleneck(4, { inChannels: 1, stridesOn: '5x5' as '1x1' }), /stridesOn/],
    [() => new nn.PreActBottleneck(4, { inChannels: 1, widthPerGroup: 0 }), /widthPerGroup/],
    [
      () => new nn.PreActBottleneck(4, { inChannels: 1, stridesOn: '1x1' } as object as nn.BottleneckOptions),
      /stridesOn/,
    ],
    [() => new nn.PadShortcut(5, { inChannels: 2 }), /multiple of inChannels \(2\)/],
    [() => new nn.BasicBlock(5, { inChannels: 2, shortcut: 'pad' }), /PadShortcut/],
  ])('%#', (make, message) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});
