// batchNormAddRelu against PyTorch, and against the three ops that it is.
import { describe, expect, test } from 'vitest';
import { autograd, type Device, type DType, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { supports, testDevices } from '../helpers/devices.js';
import { testFixtures } from '../helpers/fixture-tests.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

testFixtures(
  'batchNormAddRelu',
  ({ x, residual, gamma, beta, runningMean, runningVar }, options: ops.BatchNormAddReluOptions) =>
    ops.batchNormAddRelu(x, residual, gamma, beta, runningMean, runningVar, options),
  { rtol: 3e-4, atol: 3e-5 },
);

type NormEnd = (x: Tensor, residual: Tensor, vectors: [Tensor, Tensor, Tensor, Tensor], training: boolean) => Tensor;

const fused: NormEnd = (x, residual, vectors, training) => ops.batchNormAddRelu(x, residual, ...vectors, { training });
const inParts: NormEnd = (x, residual, vectors, training) =>
  ops.relu(ops.add(ops.batchNorm(x, ...vectors, { training }), residual));

/** Result, gradients and running statistics, as float32, by name. */
function resultsOf(end: NormEnd, device: Device, dtype: DType, shape: number[], training: boolean) {
  return tidy(() => {
    const make = (values: Float32Array) => tensor(values, { shape, device }).astype(dtype);
    const image = (seed: number) => uniformValues(sizeOf(shape), seed);
    const vector = (seed: number, offset: number) =>
      tensor(uniformValues(shape[1] as number, seed, 0.5, offset), { device });
    // Far from 0 whatever is added, so that rounding decides no ReLU.
    const [x, residual, head] = [make(image(1)), make(image(2).map((value) => Math.sign(value) * 8)), make(image(3))];
    const vectors: [Tensor, Tensor, Tensor, Tensor] = [vector(4, 1), vector(5, 0), vector(6, 0), vector(7, 1)];
    const [gamma, beta, runningMean, runningVar] = vectors;
    const wanted = { x, residual, gamma, beta };
    for (const input of Object.values(wanted)) input.requiresGrad = true;
    const y = autograd.record(() => end(x, residual, vectors, training));
    y.backward(head);
    const gradients = Object.entries(wanted).map(
      ([name, { grad }]) => [`gradient of ${name}`, grad as Tensor] as const,
    );
    const all = [['y', y], ...gradients, ['runningMean', runningMean], ['runningVar', runningVar]] as const;
    const values = all.map(([name, value]) => [name, Float32Array.from(value.astype('float32').dataSync())] as const);
    for (const [, gradient] of gradients) gradient.dispose();
    return values;
  });
}

const dtypesOf = (device: Device): DType[] => {
  const all: DType[] = ['float32', 'bfloat16', 'float16'];
  return all.filter((dtype) => supports(device, dtype));
};

const cases = testDevices.flatMap((device) =>
  dtypesOf(device).flatMap((dtype) =>
    [
      [4, 8, 5, 3],
      [4, 3, 5, 3],
      [2, 20, 4, 4],
      [3, 5, 7],
      [6, 16],
    ].flatMap((shape) => [true, false].map((training) => ({ device, dtype, shape, training }))),
  ),
);

describe('batchNormAddRelu equals batchNorm, add and relu', () => {
  test.each(cases)('$device $dtype $shape, training $training', ({ device, dtype, shape, training }) => {
    // In parts the norm is rounded before the sum.
    const tolerance = dtype === 'float32' ? {} : { rtol: 0.05, atol: 0.05 };
    const expected = resultsOf(inParts, device, dtype, shape, training);
    const actual = resultsOf(fused, device, dtype, shape, training);
    for (const [i, [what, values]] of actual.entries()) {
      expectClose(values, (expected[i] as (typeof expected)[number])[1], { what, ...tolerance });
    }
  });
});

describe.each(testDevices)('batchNormAddRelu on %s', (device) => {
  const vectors = (c: number) => [1, 0, 0, 1].map((value) => tensor(new Float32Array(c).fill(value), { device }));

  test('lets NaN through: a net that has diverged must not go on with finite values', () => {
    tidy(() => {
      for (const c of [3, 8]) {
        const shape = [2, c, 2, 2];
        const values = new Float32Array(sizeOf(shape)).fill(1);
        values[0] = Number.NaN;
        const x = tensor(values, { shape, device });
        const residual = tensor(new Float32Array(sizeOf(shape)), { shape, device });
        const y = ops.batchNormAddRelu(x, residual, ...(vectors(c) as [Tensor, Tensor, Tensor, Tensor]), {
          training: true,
        });
        expect(y.dataSync().slice(0, 4)).toEqual(Float32Array.from([Number.NaN, Number.NaN, Number.NaN, Number.NaN]));
      }
    });
  });

  test('refuses a residual of another shape or type', () => {
    tidy(() => {
      const x = tensor(new Float32Array(24), { shape: [2, 3, 2, 2], device });
      const call = (residual: Tensor) => () =>
        ops.batchNormAddRelu(x, residual, ...(vectors(3) as [Tensor, Tensor, Tensor, Tensor]));
      expect(call(tensor(new Float32Array(6), { shape: [2, 3, 1, 1], device }))).toThrow(
        /batchNormAddRelu expected residual.*\[2, 3, 2, 2\].*\[2, 3, 1, 1\]/,
      );
      expect(call(x.astype('bfloat16'))).toThrow(/batchNormAddRelu.*residual.*float32.*bfloat16/);
    });
  });
});
