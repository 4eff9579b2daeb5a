// Bad input to layers, losses, models and the trainer.
import { describe, expect, test } from 'vitest';
import {
  autograd,
  init,
  loss,
  lrScheduler,
  models,
  nn,
  ops,
  residualStage,
  Trainer,
  tensor,
  tidy,
  zeros,
} from '../../lib/index.js';
import { type ErrorCode, errorOf, expectResiduaError } from '../helpers/errors.js';

const anything = (value: unknown) => value as never;
const ready = <T extends nn.Block>(layer: T): T => {
  layer.initialize();
  return layer;
};

interface Case {
  name: string;
  call: () => unknown;
  code: ErrorCode;
  says: (string | RegExp)[];
}

const cases: Case[] = [
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
  {
    name: 'residualStage: 0 blocks',
    call: () => residualStage(64, 0),
    code: 'CONFIG_ERROR',
    says: ['residualStage', '0'],
  },
  {
    name: 'chapterResNet18: an unknown option',
    call: () => models.chapterResNet18(anything({ class: 10 })),
    code: 'CONFIG_ERROR',
    says: ["'class'", 'classes'],
  },
  {
    name: 'chapterResNet18: an image too small',
    call: () => ready(models.chapterResNet18()).forward(zeros([1, 1, 0, 28])),
    code: 'SHAPE_ERROR',
    says: ['[1, 1, 0, 28]'],
  },
  {
    name: 'initialize: an unknown option',
    call: () => new nn.Dense(1).initialize(anything({ initializer: 1 })),
    code: 'CONFIG_ERROR',
    says: ["'initializer'", 'init'],
  },
  {
    name: 'initialize: something that is no initialiser',
    call: () => new nn.Dense(1).initialize({ init: anything('xavier') }),
    code: 'CONFIG_ERROR',
    says: ['init', 'string'],
  },
  {
    name: 'Xavier: magnitude -1',
    call: () => new init.Xavier({ magnitude: -1 }),
    code: 'CONFIG_ERROR',
    says: ['magnitude', '-1'],
  },
  {
    name: 'SoftmaxCrossEntropyLoss: smoothing 2',
    call: () => new loss.SoftmaxCrossEntropyLoss({ labelSmoothing: 2 }),
    code: 'CONFIG_ERROR',
    says: ['labelSmoothing', '2'],
  },
  {
    name: 'SoftmaxCrossEntropyLoss: more labels than rows',
    call: () => new loss.SoftmaxCrossEntropyLoss().forward(zeros([2, 3]), tensor(new Int32Array(3))),
    code: 'SHAPE_ERROR',
    says: ['labels', '[2]', '[3]'],
  },
  {
    name: 'Trainer: another optimiser',
    call: () =>
      new Trainer(ready(new nn.Dense(1, { inUnits: 1 })).collectParams(), anything('adam'), { learningRate: 1 }),
    code: 'CONFIG_ERROR',
    says: ['optimizer', 'sgd', 'adam'],
  },
  {
    name: 'Trainer: no learning rate',
    call: () => new Trainer(ready(new nn.Dense(1, { inUnits: 1 })).collectParams(), 'sgd', anything({})),
    code: 'CONFIG_ERROR',
    says: ['learningRate', 'undefined'],
  },
  {
    name: 'Trainer: an unknown option',
    call: () =>
      new Trainer(ready(new nn.Dense(1, { inUnits: 1 })).collectParams(), 'sgd', anything({ learningRate: 1, lr: 1 })),
    code: 'CONFIG_ERROR',
    says: ["'lr'", 'learningRate'],
  },
  {
    name: 'Trainer: Nesterov without momentum',
    call: () =>
      new Trainer(ready(new nn.Dense(1, { inUnits: 1 })).collectParams(), 'sgd', { learningRate: 1, nesterov: true }),
    code: 'CONFIG_ERROR',
    says: ['nesterov', 'momentum'],
  },
  {
    name: 'Trainer: step without gradients',
    call: () => new Trainer(ready(new nn.Dense(1, { inUnits: 1 })).collectParams(), 'sgd', { learningRate: 1 }).step(1),
    code: 'CONFIG_ERROR',
    says: ['gradient', 'backward()'],
  },
  {
    name: 'Trainer: a batch of nothing',
    call: () => new Trainer(ready(new nn.Dense(1, { inUnits: 1 })).collectParams(), 'sgd', { learningRate: 1 }).step(0),
    code: 'CONFIG_ERROR',
    says: ['batchSize', '0'],
  },
  {
    name: 'FactorScheduler: an unknown option',
    call: () => new lrScheduler.FactorScheduler(anything({ steps: 3 })),
    code: 'CONFIG_ERROR',
    says: ["'steps'"],
  },
  {
    name: 'gradCheck: no tensor',
    call: () => autograd.gradCheck((x) => x!, anything([1])),
    code: 'CONFIG_ERROR',
    says: ['gradCheck', 'Tensor', 'number'],
  },
];

const sharedConv = ready(new nn.Conv2D(4, { kernelSize: 3 }));

describe('bad input to layers, losses and the trainer', () => {
  test.each(cases)('$name', ({ call, code, says }) => {
    tidy(() => expectResiduaError(errorOf(call), code, says));
    expect(
      tidy(() => ops.add(tensor([1, 2]), 1).toArray()),
      'the next op',
    ).toEqual([2, 3]);
  });

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
});
