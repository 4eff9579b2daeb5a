// Every way of a convolution on the GPU against plain loops: cuDNN's engine with the bias in it, the engine and then our
// own bias, a gradient in 16 bits, direct summation. The emulation is made to refuse one descriptor after another.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { autograd, type Device, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import type { DType } from '../../lib/native.js';
import { isEmulated, testDevices } from '../helpers/devices.js';
import { expectResiduaError } from '../helpers/errors.js';
import {
  type ConvGeometry,
  conv2dForward,
  conv2dGradients,
  convOutputShape,
  weightShape,
} from '../helpers/plain-conv2d.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

type Pass = 'forward' | 'backward';
const gpuDevice = testDevices.find(({ kind }) => kind === 'gpu');
const device = gpuDevice as Device;
const emulated = gpuDevice !== undefined && isEmulated(gpuDevice);
const dtypes = ['float32', 'bfloat16', 'float16'] as const;

// How far a value that is rounded to the type once is off.
const rounding = { float32: 1e-4, bfloat16: 2 ** -8, float16: 2 ** -11 };
// Where the bias is added to a rounded sum, the error is that of the sum, which may be larger than the result.
const largestSum = 8;

const plain: ConvGeometry = {
  x: [2, 8, 6, 5],
  channels: 16,
  kernel: [3, 3],
  strides: [1, 1],
  padding: [1, 1],
  dilation: [1, 1],
  groups: 1,
};
const geometries: Record<string, ConvGeometry> = {
  '3x3': plain,
  'one channel, 7x7, stride 2': { ...plain, x: [3, 1, 12, 11], kernel: [7, 7], strides: [2, 2], padding: [3, 3] },
  'three channels in, five out': { ...plain, x: [2, 3, 7, 6], channels: 5 },
  'groups, dilation': { ...plain, x: [1, 12, 9, 8], channels: 9, groups: 3, dilation: [2, 1], padding: [2, 0] },
  depthwise: { ...plain, x: [2, 6, 5, 7], channels: 12, groups: 6, strides: [1, 2] },
  '1x1, stride 2': { ...plain, kernel: [1, 1], padding: [0, 0], strides: [2, 2] },
};

/** Convolves and goes back, with values that the type holds, and compares all four results with plain loops. */
function check(
  geometry: ConvGeometry,
  dtype: (typeof dtypes)[number],
  biasType: DType | null,
  { atol = 1e-4, during = () => {} }: { atol?: number; during?: (pass: Pass) => void } = {},
): void {
  tidy(() => {
    const yShape = convOutputShape(geometry);
    const make = (shape: readonly number[], seed: number, type: DType): Tensor =>
      tensor(uniformValues(sizeOf(shape), seed), { shape: [...shape], device, dtype: type });
    const x = make(geometry.x, 1, dtype);
    const w = make(weightShape(geometry), 2, dtype);
    const b = biasType && make([geometry.channels], 3, biasType);
    const dy = make(yShape, 4, dtype);
    const inputs = b ? [x, w, b] : [x, w];
    for (const input of inputs) input.requiresGrad = true;
    const { strides, padding, dilation, groups } = geometry;
    during('forward');
    const y = autograd.record(() => ops.conv2d(x, w, b, { strides, padding, dilation, groups }));
    during('backward');
    y.backward(dy);
    during('forward'); // nothing may fail any more
    const [xValues, wValues, dyValues] = [x.dataSync(), w.dataSync(), dy.dataSync()];
    const bValues = b ? b.dataSync() : new Float32Array(geometry.channels);
    const expected = {
      y: conv2dForward(geometry, xValues, wValues, bValues),
      ...conv2dGradients(geometry, xValues, wValues, dyValues),
    };
    const actual = { y, dx: x.grad!, dw: w.grad!, ...(b && { db: b.grad! }) };
    for (const [name, result] of Object.entries(actual)) {
      const tolerance = { what: name, shape: result.shape, rtol: rounding[dtype], atol };
      expectClose(result.dataSync(), expected[name as keyof typeof expected], tolerance);
    }
    for (const input of inputs) input.grad?.dispose();
  });
}

describe.skipIf(!gpuDevice)(`convolution on the GPU${gpuDevice ? '' : ' (skipped: no gpu(0))'}`, () => {
  test.each(
    Object.entries(geometries).flatMap(([name, geometry]) => dtypes.map((dtype) => ({ name, dtype, geometry }))),
  )('$name, $dtype', ({ geometry, dtype }) => {
    check(geometry, dtype, 'float32');
    if (dtype !== 'float32') check(geometry, dtype, dtype);
  });
});

describe.skipIf(!emulated)(`convolution where cuDNN refuses${emulated ? '' : ' (skipped: no emulated gpu(0))'}`, () => {
  const notSupported = 3000; // CUDNN_STATUS_NOT_SUPPORTED
  const most = 24; // descriptors that one pass completes, at most
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'residua-convolution-'));
    process.env.RESIDUA_EMULATED_FAULT_LOG = join(folder, 'log');
  });
  afterAll(() => {
    delete process.env.RESIDUA_EMULATED_FAULT_LOG;
    rmSync(folder, { recursive: true, force: true });
  });

  function failures(): number {
    try {
      return readFileSync(join(folder, 'log'), 'utf8').trim().split('\n').length;
    } catch {
      return 0;
    }
  }

  const passes = ['forward', 'backward'] as const;
  const cases = dtypes.flatMap((dtype) => {
    const biases = [...new Set<DType | null>(['float32', dtype, null])];
    return biases.flatMap((bias) =>
      [16, 9].flatMap((channels) => passes.map((pass) => ({ dtype, bias, channels, pass }))),
    );
  });
  test.each(cases)('$dtype, bias $bias, $channels channels, $pass', ({ dtype, bias, channels, pass }) => {
    let takenOver = 0;
    for (let call = 1; call <= most; call++) {
      const geometry = { ...plain, channels, x: [1, 8, 4 + call, pass === 'forward' ? 3 : 4] as const }; // new: plans are kept
      const before = failures();
      try {
        const during = (begun: Pass) => {
          if (begun === pass && failures() === before) {
            process.env.RESIDUA_EMULATED_FAULT = `cudnnBackendFinalize:${call}:${notSupported}`;
          } else {
            delete process.env.RESIDUA_EMULATED_FAULT;
          }
        };
        check(geometry, dtype, bias, { atol: largestSum * rounding[dtype], during });
        if (failures() > before) takenOver += 1;
      } catch (error) {
        if ((error as Error).name === 'AssertionError') throw error;
        expectResiduaError(error, 'NATIVE_ERROR', ['cudnnBackendFinalize']);
      } finally {
        delete process.env.RESIDUA_EMULATED_FAULT;
      }
    }
    expect(takenOver, 'how often another way was taken').toBeGreaterThan(0);
  });
});
