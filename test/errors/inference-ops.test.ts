// Tensors that do not fit the ops which passes make for inference.
import { backendOf } from '../../lib/device.js';
import type { Device, Tensor } from '../../lib/index.js';
import type { OpAttributes } from '../../lib/native.js';
import { testOpErrors } from '../helpers/op-error-tests.js';

type Of = (...shape: number[]) => Tensor;

const call =
  (op: string, attributes: OpAttributes, inputs: (of: Of) => Tensor[]) =>
  (of: Of, device: Device): unknown =>
    backendOf(device).run(
      op,
      attributes,
      inputs(of).map(({ native }) => native),
    );

/** Of 3 channels to 6, 4 x 4 to 2 x 2, with what `change` puts in the place of its inputs: x, w, b, residual. */
const convolution = (of: Of, ...change: (Tensor | null)[]): Tensor[] => {
  const inputs = [of(1, 3, 4, 4), of(6, 3, 3, 3), of(6), of(1, 6, 2, 2)];
  return inputs.map((input, i) => change[i] ?? input);
};
const added = { hasResidual: true };

testOpErrors('ops of inference', [
  {
    name: 'conv2dFused: no bias',
    call: call('conv2dFused', {}, (of) => convolution(of).slice(0, 2)),
    code: 'CONFIG_ERROR',
    says: ['conv2dFused', '3 to 4', 'got 2'],
  },
  {
    name: 'conv2dFused: a residual is missing',
    call: call('conv2dFused', added, (of) => convolution(of).slice(0, 3)),
    code: 'CONFIG_ERROR',
    says: ['conv2dFused', 'with a residual', '3 inputs'],
  },
  {
    name: 'conv2dFused: a residual too many',
    call: call('conv2dFused', {}, (of) => convolution(of)),
    code: 'CONFIG_ERROR',
    says: ['conv2dFused', 'without a residual', '4 inputs'],
  },
  {
    name: 'conv2dFused: residual of another shape',
    call: call('conv2dFused', added, (of) => convolution(of, null, null, null, of(1, 6, 2, 1))),
    code: 'SHAPE_ERROR',
    says: ['conv2dFused', 'residual', '[1, 6, 2, 2]', '[1, 6, 2, 1]'],
  },
  {
    name: 'conv2dFused: residual of another type',
    call: call('conv2dFused', added, (of) => convolution(of, null, null, null, of(1, 6, 2, 2).astype('bfloat16'))),
    code: 'DTYPE_ERROR',
    says: ['conv2dFused', 'residual', 'float32', 'bfloat16'],
  },
  {
    name: 'conv2dFused: other input channels',
    call: call('conv2dFused', added, (of) => convolution(of, null, of(6, 4, 3, 3))),
    code: 'SHAPE_ERROR',
    says: ['conv2dFused', 'w', '3', '[6, 4, 3, 3]'],
  },
  {
    name: 'conv2dFused: bias of another size',
    call: call('conv2dFused', added, (of) => convolution(of, null, null, of(5))),
    code: 'SHAPE_ERROR',
    says: ['conv2dFused', 'b', '[6]', '[5]'],
  },
  {
    name: 'foldBatchNorm: no variance',
    call: call('foldBatchNorm', {}, (of) => [of(6, 3, 3, 3), of(6), of(6), of(6)]),
    code: 'CONFIG_ERROR',
    says: ['foldBatchNorm', '5 to 6', 'got 4'],
  },
  {
    name: 'foldBatchNorm: mean of another size',
    call: call('foldBatchNorm', {}, (of) => [of(6, 3, 3, 3), of(6), of(6), of(3), of(6)]),
    code: 'SHAPE_ERROR',
    says: ['foldBatchNorm', '[6]', '[3]'],
  },
  {
    name: 'foldBatchNorm: 16-bit weights',
    call: call('foldBatchNorm', {}, (of) => [of(6, 3, 3, 3).astype('bfloat16'), of(6), of(6), of(6), of(6)]),
    code: 'DTYPE_ERROR',
    says: ['foldBatchNorm', 'w', 'float32', 'bfloat16'],
  },
  {
    name: 'foldBatchNorm: weights of 2 axes',
    call: call('foldBatchNorm', {}, (of) => [of(6, 3), of(6), of(6), of(6), of(6)]),
    code: 'SHAPE_ERROR',
    says: ['foldBatchNorm', 'w', '4', '[6, 3]'],
  },
  {
    name: 'foldBatchNorm: negative epsilon',
    call: call('foldBatchNorm', { epsilon: -1 }, (of) => [of(6, 3, 3, 3), of(6), of(6), of(6), of(6)]),
    code: 'CONFIG_ERROR',
    says: ['foldBatchNorm', 'epsilon', '-1'],
  },
]);
