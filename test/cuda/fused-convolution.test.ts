// conv2dFused where cuDNN has no engine for all of it: the convolution alone, then a kernel of our own for bias, residual
// and ReLU. The emulation is made to refuse one descriptor after another.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpu, type Device, type DType, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { run1 } from '../../lib/ops/run.js';
import { expectResiduaError } from '../helpers/errors.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';
import { emulatedGpu, onEmulation, withVariables } from './emulated-gpu.js';

const notSupported = 3000; // CUDNN_STATUS_NOT_SUPPORTED
const most = 40; // descriptors of the op's graphs, at most
const padding = [1, 1] as const;

interface Epilogue {
  dtype: DType;
  relu: boolean;
  hasResidual: boolean;
  channels: number;
}

/** One value of x is NaN: it must pass through. */
function makeInputs(device: Device, width: number, { dtype, channels }: Epilogue): Tensor[] {
  const shapes = [[2, 4, 3, width], [channels, 4, 3, 3], [channels], [2, channels, 3, width]]; // x, w, bias, residual
  return shapes.map((shape, i) => {
    const values = uniformValues(sizeOf(shape), i + 1);
    if (i === 0) values[0] = Number.NaN;
    const input = tensor(values, { shape, device });
    return i === 2 ? input : input.astype(dtype);
  });
}

/** The op's result, in `width` columns. */
function fused(width: number, epilogue: Epilogue): Float32Array {
  return tidy(() => {
    const inputs = makeInputs(emulatedGpu as Device, width, epilogue);
    const { relu, hasResidual } = epilogue;
    const y = run1('conv2dFused', { padding, relu, hasResidual }, hasResidual ? inputs : inputs.slice(0, 3));
    return y.dataSync() as Float32Array;
  });
}

/** The same by ops of the CPU, in float32. */
function expected(width: number, epilogue: Epilogue): Float32Array {
  return tidy(() => {
    const inputs = makeInputs(cpu(), width, { ...epilogue, dtype: 'float32' }).map((input, i) =>
      i === 2 ? input : rounded(input, epilogue.dtype),
    );
    const [x, w, bias, residual] = inputs as [Tensor, Tensor, Tensor, Tensor];
    let y = ops.conv2d(x, w, bias, { padding });
    if (epilogue.hasResidual) y = ops.add(y, residual);
    if (epilogue.relu) y = ops.relu(y);
    return y.dataSync() as Float32Array;
  });
}

/** What is left of the values in the type, which the CPU may not compute in. */
function rounded(values: Tensor, dtype: DType): Tensor {
  const narrow = values.to(emulatedGpu as Device).astype(dtype);
  return narrow.astype('float32').to(cpu());
}

const epilogues = [
  { relu: false, hasResidual: false },
  { relu: true, hasResidual: false },
  { relu: false, hasResidual: true },
  { relu: true, hasResidual: true },
];
// Without an engine for the whole the convolution's result is rounded, then the sum.
const roundings = { float32: 1e-5, bfloat16: 2 ** -7, float16: 2 ** -10 };
const cases = (['float32', 'bfloat16', 'float16'] as const).flatMap((dtype) =>
  epilogues.map((epilogue) => ({ dtype, channels: epilogue.relu === epilogue.hasResidual ? 8 : 5, ...epilogue })),
);

describe.skipIf(!emulatedGpu)(onEmulation('conv2dFused where cuDNN refuses'), () => {
  let log = '';
  beforeAll(() => {
    log = join(mkdtempSync(join(tmpdir(), 'residua-fused-')), 'log');
  });
  afterAll(() => rmSync(join(log, '..'), { recursive: true, force: true }));

  const failures = (): number => {
    try {
      return readFileSync(log, 'utf8').trim().split('\n').length;
    } catch {
      return 0;
    }
  };

  test.each(cases)('$dtype to $channels channels, ReLU $relu, residual $hasResidual', (epilogue) => {
    let takenOver = 0;
    for (let call = 1; call <= most; call++) {
      const width = 2 + call; // a new one: plans are kept
      const variables = {
        RESIDUA_EMULATED_FAULT: `cudnnBackendFinalize:${call}:${notSupported}`,
        RESIDUA_EMULATED_FAULT_LOG: log,
      };
      const before = failures();
      try {
        const y = withVariables(variables, () => fused(width, epilogue));
        const tolerance = roundings[epilogue.dtype];
        expectClose(y, expected(width, epilogue), { what: `y, call ${call}`, rtol: tolerance, atol: 4 * tolerance });
        if (failures() > before) takenOver += 1;
      } catch (error) {
        if ((error as Error).name === 'AssertionError') throw error;
        expectResiduaError(error, 'NATIVE_ERROR', ['cudnnBackendFinalize']);
      }
    }
    expect(takenOver, 'how often another way was taken').toBeGreaterThan(0);
  });
});
