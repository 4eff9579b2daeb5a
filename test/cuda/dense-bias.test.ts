// Where cublasLt knows no product with that bias, the dense layer adds the bias in a kernel of its own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Device, type DType, ops, tensor, tidy } from '../../lib/index.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';
import { expectClose } from '../helpers/tolerances.js';
import { uniformValues } from '../helpers/values.js';
import { emulatedGpu, onEmulation, withVariables } from './emulated-gpu.js';

const notSupported = 15; // CUBLAS_STATUS_NOT_SUPPORTED
const noMemory = 3; // CUBLAS_STATUS_ALLOC_FAILED

describe.skipIf(!emulatedGpu)(onEmulation('dense with a bias'), () => {
  const device = emulatedGpu as Device;

  /** x [rows, 9] of `dtype` times w [5, 9], plus b [5] of `biasType`. Plans are kept, so `rows` is another each time. */
  const dense = (rows: number, dtype: DType, biasType: DType) => {
    const uniform = (shape: number[], seed: number, type: DType) =>
      tensor(
        uniformValues(
          shape.reduce((a, b) => a * b),
          seed,
        ),
        { shape, device },
      ).astype(type);
    return ops.dense(uniform([rows, 9], 1, dtype), uniform([5, 9], 2, dtype), uniform([5], 3, biasType));
  };

  test.each([
    [11, 'float32', 'float32'],
    [12, 'bfloat16', 'bfloat16'],
    [13, 'bfloat16', 'float32'],
    [14, 'float16', 'float32'],
  ] as const)('of %s rows of %s, the bias of %s', (rows, dtype, biasType) => {
    const folder = mkdtempSync(join(tmpdir(), 'residua-dense-'));
    const log = join(folder, 'log');
    try {
      tidy(() => {
        const refusing = {
          RESIDUA_EMULATED_FAULT: `cublasLtMatmulAlgoGetHeuristic:1:${notSupported}`,
          RESIDUA_EMULATED_FAULT_LOG: log,
        };
        const actual = withVariables(refusing, () => dense(rows, dtype, biasType));
        expect(readFileSync(log, 'utf8')).toContain('cublasLtMatmulAlgoGetHeuristic');
        const expected = ops.reshape(dense(2 * rows, dtype, biasType), [2, rows, 5]); // its first rows are the same
        const tolerance = dtype === 'float32' ? {} : { rtol: 1e-2, atol: 1e-2 };
        expect(actual.dtype).toBe(dtype);
        expectClose(actual.dataSync(), expected.dataSync().subarray(0, rows * 5), tolerance);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('any other failure of cublasLt is told', () => {
    tidy(() => {
      const failing = { RESIDUA_EMULATED_FAULT: `cublasLtMatmulAlgoGetHeuristic:1:${noMemory}` };
      const error = withVariables(failing, () => errorOf(() => dense(15, 'float32', 'float32')));
      expectResiduaError(error, 'OUT_OF_MEMORY', ['cublasLtMatmulAlgoGetHeuristic']);
    });
  });
});
