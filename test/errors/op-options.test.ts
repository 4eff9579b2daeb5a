// Options and other arguments that ops do not take.
import { ops } from '../../lib/index.js';
import { anything, ints, testOpErrors } from '../helpers/op-error-tests.js';

testOpErrors('wrong options', [
  {
    name: 'conv2d: negative strides',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { strides: -1 }),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'strides', 'at least 1', '-1'],
  },
  {
    name: 'conv2d: stride 0',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { strides: [1, 0] }),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'strides', '[1,0]'],
  },
  {
    name: 'conv2d: padding NaN',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { padding: Number.NaN }),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'padding', 'at least 0', 'NaN'],
  },
  {
    name: 'conv2d: negative padding',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { padding: -1 }),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'padding', 'at least 0', '-1'],
  },
  {
    name: 'conv2d: dilation 0',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { dilation: 0 }),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'dilation', 'at least 1', '0'],
  },
  {
    name: 'conv2d: three strides',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { strides: anything([1, 1, 1]) }),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'strides', '[1,1,1]'],
  },
  {
    name: 'conv2d: stride beyond 32 bits',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { strides: 2 ** 40 }),
    code: 'CONFIG_ERROR',
    says: ['strides', '1099511627776'],
  },
  {
    name: 'conv2d: an unknown option',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, anything({ stride: 2 })),
    code: 'CONFIG_ERROR',
    says: ['conv2d', "'stride'", 'strides'],
  },
  {
    name: 'conv2d: groups 0',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, { groups: 0 }),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'groups', 'at least 1', '0'],
  },
  {
    name: 'conv2d: options null',
    call: (of) => ops.conv2d(of(1, 1, 6, 6), of(1, 1, 3, 3), null, anything(null)),
    code: 'CONFIG_ERROR',
    says: ['conv2d', 'options', 'null'],
  },
  {
    name: 'maxPool2d: window 0',
    call: (of) => ops.maxPool2d(of(1, 1, 6, 6), { poolSize: 0 }),
    code: 'CONFIG_ERROR',
    says: ['maxPool2d', 'poolSize', 'at least 1', '0'],
  },
  {
    name: 'maxPool2d: padding as large as the window',
    call: (of) => ops.maxPool2d(of(1, 1, 6, 6), { poolSize: 2, padding: 2 }),
    code: 'CONFIG_ERROR',
    says: ['maxPool2d', 'padding', '[2, 2]'],
  },
  {
    name: 'avgPool2d: countIncludePad 1',
    call: (of) => ops.avgPool2d(of(1, 1, 6, 6), { countIncludePad: anything(1) }),
    code: 'CONFIG_ERROR',
    says: ['avgPool2d', 'countIncludePad', 'true or false', '1'],
  },
  {
    name: 'batchNorm: momentum 1.5',
    call: (of) => ops.batchNorm(of(2, 3), of(3), of(3), of(3), of(3), { momentum: 1.5 }),
    code: 'CONFIG_ERROR',
    says: ['batchNorm', 'momentum', '1', '1.5'],
  },
  {
    name: 'batchNorm: epsilon NaN',
    call: (of) => ops.batchNorm(of(2, 3), of(3), of(3), of(3), of(3), { epsilon: Number.NaN }),
    code: 'CONFIG_ERROR',
    says: ['batchNorm', 'epsilon', 'NaN'],
  },
  {
    name: 'dropout: rate 2',
    call: (of) => ops.dropout(of(2), 2, true),
    code: 'CONFIG_ERROR',
    says: ['dropout', 'rate', '1', '2'],
  },
  {
    name: 'softmaxCrossEntropy: smoothing -0.1',
    call: (of, device) => ops.softmaxCrossEntropy(of(1, 2), ints(device, 0), { labelSmoothing: -0.1 }),
    code: 'CONFIG_ERROR',
    says: ['softmaxCrossEntropy', 'labelSmoothing', '0', '-0.1'],
  },
  {
    name: 'resizeBilinear: size 0',
    call: (of) => ops.resizeBilinear(of(1, 1, 2, 2), { size: [2, 0] }),
    code: 'CONFIG_ERROR',
    says: ['resizeBilinear', 'size', 'at least 1', '[2,0]'],
  },
  {
    name: 'resizeBilinear: no size',
    call: (of) => ops.resizeBilinear(of(1, 1, 2, 2), anything({})),
    code: 'CONFIG_ERROR',
    says: ['resizeBilinear', 'size', 'undefined'],
  },
  {
    name: 'relu: an array for a tensor',
    call: () => ops.relu(anything([1, 2])),
    code: 'CONFIG_ERROR',
    says: ['relu', 'x', 'Tensor', 'array'],
  },
  {
    name: 'add: null for a tensor',
    call: (of) => ops.add(of(1), anything(null)),
    code: 'CONFIG_ERROR',
    says: ['add', 'null'],
  },
  {
    name: 'sgdUpdate: a rate too few',
    call: (of) => ops.sgdUpdate([of(2)], [of(2)], null, { rescale: 1, momentum: 0, clip: 0, lrs: [], wds: [0] }),
    code: 'CONFIG_ERROR',
    says: ['sgdUpdate', 'lrs', '1', '0'],
  },
]);
