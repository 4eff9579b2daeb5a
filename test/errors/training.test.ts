// Bad input to models, initialisers, losses, the trainer and gradCheck.
import {
  autograd,
  init,
  loss,
  lrScheduler,
  models,
  nn,
  residualStage,
  Trainer,
  tensor,
  zeros,
} from '../../lib/index.js';
import { anything, type ErrorCase, ready, testErrors } from '../helpers/layer-error-tests.js';

const cases: ErrorCase[] = [
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

testErrors('bad input to models, losses and the trainer', cases);
