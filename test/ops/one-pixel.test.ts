// BatchNorm and average pooling on images of one pixel, whose plain bytes the CPU reads as blocks of channels: against
// plain loops, with channels that fill whole blocks and such that do not.
import { describe, test } from 'vitest';
import { autograd, type DType, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { supports, testDevices } from '../helpers/devices.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

const epsilon = 1e-3;
const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** y = max(norm(x) + residual, 0) or norm(x) over axis 0 of [n, c], and the gradients for dy. */
function plainBatchNorm(
  [n, c]: readonly [number, number],
  values: Record<'x' | 'dy' | 'gamma' | 'beta' | 'residual', ArrayLike<number>>,
  { relu, add }: { relu: boolean; add: boolean },
) {
  const column = (of: ArrayLike<number>, j: number) => Array.from({ length: n }, (_, i) => of[i * c + j] as number);
  const y = new Float64Array(n * c);
  const dx = new Float64Array(n * c);
  const dgamma = new Float64Array(c);
  for (let j = 0; j < c; j++) {
    const x = column(values.x, j);
    const centre = mean(x);
    const scale = 1 / Math.sqrt(mean(x.map((each) => (each - centre) ** 2)) + epsilon);
    const normal = x.map((each) => (each - centre) * scale);
    const gamma = values.gamma[j] as number;
    const residual = column(values.residual, j);
    const sums = normal.map((each, i) => gamma * each + (values.beta[j] as number) + (add ? residual[i]! : 0));
    const dy = column(values.dy, j).map((each, i) => (relu && sums[i]! <= 0 ? 0 : each));
    dgamma[j] = n * mean(dy.map((each, i) => each * normal[i]!));
    for (let i = 0; i < n; i++) {
      y[i * c + j] = relu ? Math.max(sums[i]!, 0) : sums[i]!;
      dx[i * c + j] = gamma * scale * (dy[i]! - mean(dy) - (normal[i]! * dgamma[j]!) / n);
    }
  }
  return { y, dx, dgamma };
}

const forms = {
  batchNorm: { relu: false, add: false },
  'batchNorm with ReLU': { relu: true, add: false },
  batchNormAddRelu: { relu: true, add: true },
};

describe.each(testDevices)('one pixel on %s', (device) => {
  const types = (['float32', 'bfloat16'] as DType[]).filter((type) => supports(device, type));

  describe.each(types)('%s', (dtype) => {
    const tolerances = dtype === 'float32' ? { rtol: 1e-4, atol: 1e-4 } : { rtol: 3e-2, atol: 6e-2 };

    describe.each(Object.entries(forms))('%s', (_, form) => {
      test.each([16, 48, 24, 5])('%i channels', (channels) => {
        tidy(() => {
          const n = 6;
          // Representable in bfloat16, so that both sides start from the same numbers.
          const make = (size: number, seed: number, scale = 1, offset = 0) =>
            Float32Array.from(uniformValues(size, seed, scale, offset), (each) => Math.round(each * 64) / 64);
          const values = {
            x: make(n * channels, 1, 2),
            dy: make(n * channels, 2),
            gamma: make(channels, 3, 0.5, 1),
            beta: make(channels, 4),
            residual: make(n * channels, 5),
          };
          const image = (of: Float32Array) => tensor(of, { shape: [n, channels, 1, 1], device }).astype(dtype);
          const vector = (of: ArrayLike<number>) => tensor(Float32Array.from(of), { shape: [channels], device });
          const [x, gamma, beta] = [image(values.x), vector(values.gamma), vector(values.beta)];
          const running = [new Array(channels).fill(0), new Array(channels).fill(1)].map(vector) as [Tensor, Tensor];
          for (const input of [x, gamma]) input.requiresGrad = true;
          const options = { training: true, epsilon };
          const y = autograd.record(() =>
            form.add
              ? ops.batchNormAddRelu(x, image(values.residual), gamma, beta, ...running, options)
              : ops.batchNorm(x, gamma, beta, ...running, { ...options, relu: form.relu }),
          );
          y.backward(image(values.dy));
          const expected = plainBatchNorm([n, channels], values, form);
          const actual = { y, dx: x.grad as Tensor, dgamma: gamma.grad as Tensor };
          for (const key of ['y', 'dx', 'dgamma'] as const) {
            expectClose(actual[key].dataSync(), expected[key], { what: key, shape: actual[key].shape, ...tolerances });
          }
          for (const input of [x, gamma]) input.grad?.dispose();
        });
      });
    });

    test.each([
      ['one pixel', 1, 16],
      ['3x3', 3, 16],
      ['3x3', 3, 7],
    ])('the gradient of the average over %s, %i wide, %i channels', (_, size, channels) => {
      tidy(() => {
        const shape = [2, channels, size, size];
        const x = tensor(uniformValues(sizeOf(shape), 1), { shape, device }).astype(dtype);
        const dy = tensor(uniformValues(2 * channels, 2), { shape: [2, channels, 1, 1], device }).astype(dtype);
        x.requiresGrad = true;
        autograd.record(() => ops.avgPool2d(x, { poolSize: size })).backward(dy);
        const of = dy.dataSync();
        const expected = Float64Array.from(
          { length: sizeOf(shape) },
          (_, i) => of[Math.floor(i / size ** 2)]! / size ** 2,
        );
        expectClose((x.grad as Tensor).dataSync(), expected, { shape, ...tolerances });
        x.grad?.dispose();
      });
    });
  });
});
