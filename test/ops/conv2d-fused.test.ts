// foldBatchNorm and conv2dFused, which passes make of convolution, BatchNorm, sum and ReLU for inference: against plain
// loops and against the ops that they stand for.
import { describe, expect, test } from 'vitest';
import { type Device, type DType, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { run, run1 } from '../../lib/ops/run.js';
import { supports, testDevices } from '../helpers/devices.js';
import { type ConvGeometry, convOutputShape, weightShape } from '../helpers/plain-conv2d.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

const square: ConvGeometry = {
  x: [2, 8, 6, 5],
  channels: 16,
  kernel: [3, 3],
  strides: [1, 1],
  padding: [1, 1],
  dilation: [1, 1],
  groups: 1,
};
const geometries: Record<string, ConvGeometry> = {
  '3x3': square,
  'one pixel': { ...square, x: [1, 3, 1, 1], channels: 5, kernel: [1, 1], padding: [0, 0] },
  'three channels, stride 2 on odd size': { ...square, x: [2, 3, 7, 5], strides: [2, 2] },
  'one channel in and out': { ...square, x: [3, 1, 6, 4], channels: 1 },
  '1x1, stride 2': { ...square, kernel: [1, 1], padding: [0, 0], strides: [2, 2] },
  groups: { ...square, x: [2, 12, 5, 4], channels: 9, groups: 3 },
  depthwise: { ...square, x: [1, 6, 5, 7], channels: 12, groups: 6, strides: [1, 2] },
  dilation: { ...square, x: [1, 4, 9, 8], channels: 20, dilation: [2, 3], padding: [2, 3] },
  'kernel of the size of the image': { ...square, x: [2, 5, 3, 4], kernel: [3, 4], padding: [0, 0] },
};

const uniform = (device: Device, shape: readonly number[], seed: number, scale = 1, offset = 0): Tensor =>
  tensor(uniformValues(sizeOf(shape), seed, scale, offset), { shape: [...shape], device });

interface Inputs {
  x: Tensor;
  w: Tensor;
  bias: Tensor;
  residual: Tensor;
  /** gamma, beta, running mean and variance. */
  statistics: [Tensor, Tensor, Tensor, Tensor];
}

/** Vectors and weights are float32, images of the type. */
function makeInputs(geometry: ConvGeometry, device: Device, dtype: DType): Inputs {
  const channels = [geometry.channels];
  return {
    x: uniform(device, geometry.x, 1).astype(dtype),
    w: uniform(device, weightShape(geometry), 2),
    bias: uniform(device, channels, 3),
    residual: uniform(device, convOutputShape(geometry), 4, 2).astype(dtype),
    statistics: [
      uniform(device, channels, 5, 0.5, 1),
      uniform(device, channels, 6),
      uniform(device, channels, 7),
      uniform(device, channels, 8, 0.4, 0.5),
    ],
  };
}

const windowOf = ({ strides, padding, dilation, groups }: ConvGeometry) => ({ strides, padding, dilation, groups });

function fused(
  geometry: ConvGeometry,
  [x, w, b]: [Tensor, Tensor, Tensor],
  residual: Tensor | null,
  relu: boolean,
): Tensor {
  const attributes = { ...windowOf(geometry), relu, hasResidual: residual !== null };
  // The op may write over the residual.
  return run1('conv2dFused', attributes, residual ? [x, w, b, ops.copy(residual)] : [x, w, b]);
}

/** The same values as a convolution leaves them, in the backend's own layout. */
function laidOut(image: Tensor): Tensor {
  const channels = image.shape[1] as number;
  const identity = Float32Array.from({ length: channels ** 2 }, (_, i) => Number(i % (channels + 1) === 0));
  const w = tensor(identity, { shape: [channels, channels, 1, 1], device: image.device });
  return ops.conv2d(image, w.astype(image.dtype));
}

const epilogues = [false, true].flatMap((relu) => [false, true].map((hasResidual) => ({ relu, hasResidual })));
const cases = Object.entries(geometries).flatMap(([name, geometry]) =>
  epilogues.map((epilogue) => ({ name, geometry, ...epilogue })),
);

describe.each(testDevices)('inference convolution on %s', (device) => {
  const types = (['float32', 'bfloat16', 'float16'] as DType[]).filter((type) => supports(device, type));

  describe.each(types)('%s', (dtype) => {
    // In parts each result is rounded, the folded weights are too.
    const inParts = {
      float32: { atol: 5e-5 },
      bfloat16: { rtol: 0.03, atol: 0.1 },
      float16: { rtol: 4e-3, atol: 0.02 },
    };

    test.each(cases)(
      'folded equals conv2d, batchNorm, add, relu: $name, ReLU $relu, residual $hasResidual',
      ({ geometry, relu, hasResidual }) => {
        for (const hasBias of [false, true]) {
          tidy(() => {
            const { x, w, bias, residual, statistics } = makeInputs(geometry, device, dtype);
            const epsilon = 0.01;
            const b = hasBias ? [bias] : [];
            const [folded, shift] = run('foldBatchNorm', { epsilon }, [w, ...b, ...statistics]) as [Tensor, Tensor];
            const weights = folded.astype(dtype);
            const actual = fused(geometry, [x, weights, shift], hasResidual ? residual : null, relu);

            const product = ops.conv2d(x, w.astype(dtype), hasBias ? bias : null, windowOf(geometry));
            let expected = ops.batchNorm(product, ...statistics, { training: false, epsilon });
            if (hasResidual) expected = ops.add(expected, residual);
            if (relu) expected = ops.relu(expected);
            expect([actual.dtype, actual.shape]).toEqual([dtype, [...convOutputShape(geometry)]]);
            const tolerance = inParts[dtype as keyof typeof inParts];
            const what = `y, bias ${hasBias}`;
            expectClose(actual.dataSync(), expected.dataSync(), { what, shape: actual.shape, ...tolerance });
          });
        }
      },
    );

    const rounding = { float32: 1e-4, bfloat16: 2 ** -8, float16: 2 ** -11 }[dtype as 'float32'];

    test.each(cases)(
      'conv2dFused rounds once: $name, ReLU $relu, residual $hasResidual',
      ({ geometry, relu, hasResidual }) => {
        tidy(() => {
          const { x, w, bias, residual } = makeInputs(geometry, device, dtype);
          const wide = (values: Tensor) => values.astype('float32');
          const weights = w.astype(dtype);
          for (const b of dtype === 'float32' ? [bias] : [bias, bias.astype(dtype)]) {
            let expected = ops.conv2d(wide(x), wide(weights), wide(b), windowOf(geometry));
            if (hasResidual) expected = ops.add(expected, wide(residual));
            if (relu) expected = ops.relu(expected);
            for (const [image, added] of [
              [x, residual],
              [laidOut(x), laidOut(residual)],
            ] as const) {
              const actual = fused(geometry, [image, weights, b], hasResidual ? added : null, relu);
              expectClose(actual.dataSync(), expected.dataSync(), {
                what: `y, bias of ${b.dtype}`,
                shape: actual.shape,
                rtol: rounding,
                atol: 5e-5,
              });
            }
          }
        });
      },
    );

    // A net that has diverged must not go on with finite values. oneDNN's fused ReLU makes 0 of NaN.
    const withNaN = epilogues.filter(({ relu }) => device.kind === 'gpu' || !relu);
    test.each(withNaN)('NaN passes through: ReLU $relu, residual $hasResidual', ({ relu, hasResidual }) => {
      for (const channels of [3, 8]) {
        tidy(() => {
          const geometry = { ...square, x: [1, channels, 1, 3] as const, channels, kernel: [1, 1] as const };
          const pointwise = { ...geometry, padding: [0, 0] as const };
          const { w, bias, residual } = makeInputs(pointwise, device, dtype);
          const values = new Float32Array(channels * 3).fill(-1);
          values[1] = Number.NaN; // of the middle pixel
          const x = tensor(values, { shape: [1, channels, 1, 3], device }).astype(dtype);
          const y = fused(pointwise, [x, w.astype(dtype), bias], hasResidual ? residual : null, relu).dataSync();
          const middle = Array.from({ length: channels }, (_, c) => y[3 * c + 1]);
          expect(middle).toEqual(new Array(channels).fill(Number.NaN));
        });
      }
    });

    test.each(withNaN.filter(({ hasResidual }) => hasResidual))(
      'NaN of the residual passes through: ReLU $relu',
      ({ relu }) => {
        tidy(() => {
          const { x, w, bias, residual } = makeInputs(square, device, dtype);
          const values = residual.dataSync() as Float32Array;
          values[7] = Number.NaN;
          const added = tensor(values, { shape: residual.shape, device }).astype(dtype);
          const y = fused(square, [x, w.astype(dtype), bias], added, relu).dataSync();
          expect([...y.keys()].filter((i) => Number.isNaN(y[i]))).toEqual([7]);
        });
      },
    );
  });

  test('conv2d alone takes no notice of what conv2dFused does', () => {
    tidy(() => {
      const { x, w, bias } = makeInputs(square, device, 'float32');
      const attributes = { ...windowOf(square), relu: true, hasResidual: true };
      const y = run1('conv2d', attributes, [x, w, bias]).dataSync();
      expect([...y]).toEqual([...ops.conv2d(x, w, bias, windowOf(square)).dataSync()]);
      expect(Math.min(...y)).toBeLessThan(0);
    });
  });

  test.each(
    Object.entries(geometries).flatMap(([name, geometry]) => [
      { name, geometry, hasBias: false },
      { name, geometry, hasBias: true },
    ]),
  )('foldBatchNorm equals plain loops: $name, bias $hasBias', ({ geometry, hasBias }) => {
    tidy(() => {
      const { x, w, bias, statistics } = makeInputs(geometry, device, 'float32');
      const epsilon = 0.25;
      const fold = (): [Tensor, Tensor] =>
        run('foldBatchNorm', { epsilon }, [w, ...(hasBias ? [bias] : []), ...statistics]) as [Tensor, Tensor];
      const plain = fold();
      ops.conv2d(x, w, null, windowOf(geometry)); // may change the layout of w
      const [b, gamma, beta, mean, variance] = [bias, ...statistics].map((each) => each.dataSync());
      const scale = Float64Array.from(gamma!, (value, c) => value / Math.sqrt(variance![c]! + epsilon));
      const each = sizeOf(weightShape(geometry)) / geometry.channels;
      const weights = Float64Array.from(w.dataSync(), (value, i) => value * scale[Math.floor(i / each)]!);
      const shift = scale.map((value, c) => ((hasBias ? b![c]! : 0) - mean![c]!) * value + beta![c]!);
      for (const [actualWeights, actualShift] of [plain, fold()]) {
        expect([actualWeights.shape, actualShift.shape]).toEqual([[...weightShape(geometry)], [geometry.channels]]);
        expectClose(actualWeights.dataSync(), weights, { what: 'w', shape: w.shape, rtol: 1e-6, atol: 1e-7 });
        expectClose(actualShift.dataSync(), shift, { what: 'b', rtol: 1e-6, atol: 1e-6 });
      }
    });
  });
});
