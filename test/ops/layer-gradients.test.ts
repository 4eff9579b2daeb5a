// The gradients of every layer of nn, of its input and of each parameter, against finite differences.
import { describe, expect, test } from 'vitest';
import { init, nn, tensor } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { expectLayerGradients } from '../helpers/layer-grad-check.js';
import { sizeOf, spacedValues, uniformValues } from '../helpers/values.js';

interface Case {
  name: string;
  make: () => nn.Block;
  shape: number[];
  parameters: string[];
  training?: boolean;
  values?: (count: number, seed: number) => Float32Array;
}

const image = [3, 4, 5, 5];

const cases: Case[] = [
  {
    name: 'Conv2D',
    make: () => new nn.Conv2D(5, { kernelSize: 3, strides: 2, padding: 1 }),
    shape: image,
    parameters: ['weight', 'bias'],
  },
  {
    name: 'Conv2D without bias, groups',
    make: () => new nn.Conv2D(4, { kernelSize: 3, groups: 2, useBias: false }),
    shape: image,
    parameters: ['weight'],
  },
  { name: 'BatchNorm', make: () => new nn.BatchNorm(), shape: image, parameters: ['gamma', 'beta'] },
  {
    name: 'BatchNorm, inference',
    make: () => new nn.BatchNorm(),
    shape: image,
    parameters: ['gamma', 'beta'],
    training: false,
  },
  { name: 'Dense', make: () => new nn.Dense(6), shape: [3, 4, 2], parameters: ['weight', 'bias'] },
  {
    name: 'Dense on the last axis',
    make: () => new nn.Dense(6, { flatten: false }),
    shape: [3, 4, 2],
    parameters: ['weight', 'bias'],
  },
  { name: 'Activation', make: () => new nn.Activation('relu'), shape: [4, 9], parameters: [], values: spacedValues },
  {
    name: 'MaxPool2D',
    make: () => new nn.MaxPool2D({ poolSize: 3, strides: 2, padding: 1 }),
    shape: [1, 2, 6, 6],
    parameters: [],
    values: spacedValues,
  },
  { name: 'AvgPool2D', make: () => new nn.AvgPool2D({ poolSize: 2 }), shape: image, parameters: [] },
  { name: 'GlobalAvgPool2D', make: () => new nn.GlobalAvgPool2D(), shape: image, parameters: [] },
  { name: 'Flatten', make: () => new nn.Flatten(), shape: image, parameters: [] },
  {
    name: 'Sequential',
    make: () => new nn.Sequential().add(new nn.Conv2D(3, { kernelSize: 3 }), new nn.BatchNorm(), new nn.Dense(4)),
    shape: image,
    parameters: ['0.weight', '0.bias', '1.gamma', '1.beta', '2.weight', '2.bias'],
  },
];

/** Betas of alternating sign move every channel's values away from the corner of the ReLU that follows, where no difference is right. */
function moveNormsAside(block: nn.Block): void {
  for (const [name, parameter] of block.collectParams(/(gamma|beta)$/)) {
    const value = (i: number) => (name.endsWith('gamma') ? 0.5 : i % 2 === 0 ? 4 : -4);
    parameter.setData(Float32Array.from({ length: parameter.shape[0] as number }, (_, i) => value(i)));
  }
}

describe.each(testDevices)('gradients of layers by finite differences on %s', (device) => {
  test.each(cases)('$name', ({ make, shape, parameters, training = true, values = uniformValues }) => {
    const layer = make();
    layer.initialize({ init: new init.Xavier(), device });
    const x = tensor(values(sizeOf(shape), 21), { shape, device });
    expect(expectLayerGradients(layer, x, { training })).toEqual(['input', ...parameters]);
  });

  test.each([
    { name: 'Residual', block: () => new nn.Residual(4), convolutions: 2 },
    {
      name: 'Residual with 1x1 convolution and stride 2',
      block: () => new nn.Residual(6, { use1x1Conv: true, strides: 2 }),
      convolutions: 3,
    },
  ])('$name', ({ block, convolutions }) => {
    const residual = block();
    residual.initialize({ init: new init.Xavier(), device });
    const x = tensor(uniformValues(sizeOf(image), 22), { shape: image, device });
    residual.forward(x).dispose();
    moveNormsAside(residual);
    const checked = expectLayerGradients(residual, x);
    expect(checked.filter((name) => name.endsWith('weight'))).toHaveLength(convolutions);
    expect(checked.filter((name) => name.endsWith('gamma'))).toHaveLength(2);
  });
});
