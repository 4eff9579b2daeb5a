// Tensors of wrong types and axes that are not there, given to ops.
import { ops, tensor } from '../../lib/index.js';
import { anything, ints, testOpErrors } from '../helpers/op-error-tests.js';

testOpErrors('wrong axes', [
  {
    name: 'softmax: axis 2 of 2',
    call: (of) => ops.softmax(of(2, 3), 2),
    code: 'SHAPE_ERROR',
    says: ['softmax', 'axis', '-2 to 1', 'got 2'],
  },
  {
    name: 'softmax: axis -3 of 2',
    call: (of) => ops.softmax(of(2, 3), -3),
    code: 'SHAPE_ERROR',
    says: ['softmax', 'axis', '-2 to 1', 'got -3'],
  },
  {
    name: 'softmax: axis NaN',
    call: (of) => ops.softmax(of(2, 3), Number.NaN),
    code: 'SHAPE_ERROR',
    says: ['softmax', 'axis', 'NaN'],
  },
  {
    name: 'logSoftmax: axis 0.5',
    call: (of) => ops.logSoftmax(of(2, 3), 0.5),
    code: 'SHAPE_ERROR',
    says: ['logSoftmax', 'axis', '0.5'],
  },
  {
    name: 'argmax of a scalar',
    call: (of) => ops.argmax(of()),
    code: 'SHAPE_ERROR',
    says: ['argmax', 'axis', 'scalar'],
  },
  {
    name: 'sum: axis named twice',
    call: (of) => ops.sum(of(2, 3), [1, -1]),
    code: 'SHAPE_ERROR',
    says: ['sum', 'axis', 'once', '[1, 1]'],
  },
  {
    name: 'sum: axis out of range',
    call: (of) => ops.sum(of(2, 3), [0, 4]),
    code: 'SHAPE_ERROR',
    says: ['sum', 'axis', '-2 to 1', 'got 4'],
  },
  {
    name: 'mean: a word for an axis',
    call: (of) => ops.mean(of(2, 3), anything('all')),
    code: 'SHAPE_ERROR',
    says: ['mean', 'axis', 'string'],
  },
]);

testOpErrors('tensors of wrong types', [
  {
    name: 'conv2d: image of bytes',
    call: (of, device) => ops.conv2d(tensor(new Uint8Array(36), { shape: [1, 1, 6, 6], device }), of(4, 1, 3, 3)),
    code: 'DTYPE_ERROR',
    says: ['conv2d', 'x', 'float32', 'uint8'],
  },
  {
    name: 'dense: integer weights',
    call: (of, device) => ops.dense(of(1, 2), tensor(new Int32Array(4), { shape: [2, 2], device })),
    code: 'DTYPE_ERROR',
    says: ['dense', 'w', 'int32'],
  },
  {
    name: 'softmaxCrossEntropy: float labels',
    call: (of) => ops.softmaxCrossEntropy(of(3, 4), of(3)),
    code: 'DTYPE_ERROR',
    says: ['softmaxCrossEntropy', 'labels', 'int32', 'float32'],
  },
  {
    name: 'add: two types',
    call: (of, device) => ops.add(of(2), ints(device, 1, 2)),
    code: 'DTYPE_ERROR',
    says: ['add', 'b', 'float32', 'int32'],
  },
  {
    name: 'add: bytes',
    call: (_, device) => ops.add(tensor(new Uint8Array(2), { device }), tensor(new Uint8Array(2), { device })),
    code: 'DTYPE_ERROR',
    says: ['add', 'a', 'uint8'],
  },
  {
    name: 'div: integers',
    call: (_, device) => ops.div(ints(device, 1), ints(device, 2)),
    code: 'DTYPE_ERROR',
    says: ['div', 'a', 'float32', 'int32'],
  },
  {
    name: 'relu: integers',
    call: (_, device) => ops.relu(ints(device, 1)),
    code: 'DTYPE_ERROR',
    says: ['relu', 'x', 'float32', 'int32'],
  },
  {
    name: 'softmax: integers',
    call: (_, device) => ops.softmax(ints(device, 1)),
    code: 'DTYPE_ERROR',
    says: ['softmax', 'x', 'float32', 'int32'],
  },
  {
    name: 'batchNorm: integers',
    call: (of, device) =>
      ops.batchNorm(tensor(new Int32Array(6), { shape: [2, 3], device }), of(3), of(3), of(3), of(3)),
    code: 'DTYPE_ERROR',
    says: ['batchNorm', 'x', 'float32', 'int32'],
  },
  {
    name: 'cast: an unknown type',
    call: (of) => ops.cast(of(2), anything('float64')),
    code: 'DTYPE_ERROR',
    says: ['dtype', 'float32', "'float64'"],
  },
  {
    name: 'resizeBilinear: integers',
    call: (_, device) => ops.resizeBilinear(tensor(new Int32Array(4), { shape: [1, 1, 2, 2], device }), { size: 4 }),
    code: 'DTYPE_ERROR',
    says: ['resizeBilinear', 'x', 'int32'],
  },
  {
    name: 'mul: a fraction with integers',
    call: (_, device) => ops.mul(ints(device, 2), 0.5),
    code: 'DTYPE_ERROR',
    says: ['mul', 'int32', '0.5'],
  },
]);
