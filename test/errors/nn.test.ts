// Bad input to layers.
import { test } from 'vitest';
import { nn, tidy, zeros } from '../../lib/index.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';
import { anything, type ErrorCase, ready, testErrors } from '../helpers/layer-error-tests.js';

const cases: ErrorCase[] = [
  {
    name: 'Conv2D: no kernel size',
    call: () => new nn.Conv2D(4, anything({})),
    code: 'CONFIG_ERROR',
    says: ['Conv2D', 'kernelSize', 'undefined'],
  },
  {
    name: 'Conv2D: no channels',
    call: () => new nn.Conv2D(0, { kernelSize: 3 }),
    code: 'CONFIG_ERROR',
    says: ['Conv2D', 'channels', '0'],
  },
  {
    name: 'Conv2D: negative strides',
    call: () => new nn.Conv2D(4, { kernelSize: 3, strides: -2 }),
    code: 'CONFIG_ERROR',
    says: ['Conv2D', 'strides', 'at least 1', '-2'],
  },
  {
    name: 'Conv2D: groups that do not divide',
    call: () => new nn.Conv2D(4, { kernelSize: 3, groups: 3 }),
    code: 'CONFIG_ERROR',
    says: ['Conv2D', 'groups', '4', '3'],
  },
  {
    name: 'Conv2D: an unknown option',
    call: () => new nn.Conv2D(4, anything({ kernelSize: 3, kernel: 3 })),
    code: 'CONFIG_ERROR',
    says: ['Conv2D', "'kernel'", 'kernelSize'],
  },
  {
    name: 'Conv2D: an unknown activation',
    call: () => new nn.Conv2D(4, { kernelSize: 3, activation: anything('swish') }),
    code: 'CONFIG_ERROR',
    says: ['Conv2D', 'activation', 'relu', 'swish'],
  },
  {
    name: 'Conv2D: other channels than stated',
    call: () => ready(new nn.Conv2D(4, { kernelSize: 3, inChannels: 3 })).forward(zeros([1, 2, 5, 5])),
    code: 'SHAPE_ERROR',
    says: ['3', '[1, 2, 5, 5]'],
  },
  {
    name: 'Conv2D: other channels than inferred',
    call: () => [2, 3].map((n) => sharedConv.forward(zeros([1, n, 5, 5]))),
    code: 'SHAPE_ERROR',
    says: ['2', '3'],
  },
  {
    name: 'Conv2D: before initialize()',
    call: () => new nn.Conv2D(4, { kernelSize: 3 }).forward(zeros([1, 2, 5, 5])),
    code: 'CONFIG_ERROR',
    says: ['weight', 'initialize()'],
  },
  {
    name: 'Conv2D: a matrix',
    call: () => ready(new nn.Conv2D(4, { kernelSize: 3 })).forward(zeros([2, 3])),
    code: 'SHAPE_ERROR',
    says: ['Conv2D', '[2, 3]'],
  },
  {
    name: 'BatchNorm: momentum -1',
    call: () => new nn.BatchNorm({ momentum: -1 }),
    code: 'CONFIG_ERROR',
    says: ['BatchNorm', 'momentum', '-1'],
  },
  {
    name: 'BatchNorm: epsilon 0',
    call: () => new nn.BatchNorm({ epsilon: 0 }),
    code: 'CONFIG_ERROR',
    says: ['BatchNorm', 'epsilon', '0'],
  },
  {
    name: 'BatchNorm: a vector',
    call: () => ready(new nn.BatchNorm()).forward(zeros([3])),
    code: 'SHAPE_ERROR',
    says: ['BatchNorm', '[3]'],
  },
  { name: 'Dense: half a unit', call: () => new nn.Dense(0.5), code: 'CONFIG_ERROR', says: ['Dense', 'units', '0.5'] },
  {
    name: 'Dense: other inputs than stated',
    call: () => ready(new nn.Dense(2, { inUnits: 4 })).forward(zeros([1, 3])),
    code: 'SHAPE_ERROR',
    says: ['3', '4'],
  },
  {
    name: 'Dropout: rate 1.5',
    call: () => new nn.Dropout(1.5),
    code: 'CONFIG_ERROR',
    says: ['Dropout', 'rate', '1.5'],
  },
  {
    name: 'Activation: unknown',
    call: () => new nn.Activation(anything('tanhh')),
    code: 'CONFIG_ERROR',
    says: ['Activation', 'relu', 'tanhh'],
  },
  {
    name: 'MaxPool2D: window NaN',
    call: () => new nn.MaxPool2D({ poolSize: Number.NaN }),
    code: 'CONFIG_ERROR',
    says: ['MaxPool2D', 'poolSize', 'NaN'],
  },
  {
    name: 'Residual: shapes that do not meet',
    call: () => ready(new nn.Residual(4)).forward(zeros([1, 3, 5, 5])),
    code: 'SHAPE_ERROR',
    says: ['[1, 4, 5, 5]', '[1, 3, 5, 5]'],
  },
  {
    name: 'Residual: an unknown option',
    call: () => new nn.Residual(4, anything({ use1x1: true })),
    code: 'CONFIG_ERROR',
    says: ['Residual', "'use1x1'", 'use1x1Conv'],
  },
  {
    name: 'Sequential: something that is no block',
    call: () => new nn.Sequential().add(anything({})),
    code: 'CONFIG_ERROR',
    says: ['Block'],
  },
];

const sharedConv = ready(new nn.Conv2D(4, { kernelSize: 3 }));

testErrors('bad input to layers', cases);

test('an error inside a net names the layer', () => {
  const net = ready(
    new nn.Sequential().add(new nn.Conv2D(3, { kernelSize: 3, inChannels: 1 }), new nn.Dense(2, { inUnits: 5 })),
  );
  tidy(() =>
    expectResiduaError(
      errorOf(() => net.forward(zeros([1, 1, 5, 5]))),
      'SHAPE_ERROR',
      ['in layer 1:', 'dense', '5'],
    ),
  );
});
