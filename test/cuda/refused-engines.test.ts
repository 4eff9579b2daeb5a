// Where cuDNN refuses an operation that it knows on other devices or in other versions, kernels of our own take over with
// the same results. The emulation is made to refuse: each call that completes a descriptor in turn.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { autograd, cpu, type Device, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { isEmulated, testDevices } from '../helpers/devices.js';
import { expectResiduaError } from '../helpers/errors.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

const device = testDevices.find((each) => each.kind === 'gpu' && isEmulated(each));
const notSupported = 3000; // CUDNN_STATUS_NOT_SUPPORTED
const most = 40; // descriptors of one op's graphs, at most

const vector = (channels: number, value: number, on: Device) =>
  tensor(new Float32Array(channels).fill(value), { device: on });
const statistics = (x: Tensor) =>
  [1, 0, 0, 1].map((value) => vector(x.shape[1] as number, value, x.device)) as [Tensor, Tensor, Tensor, Tensor];

const cases = [
  { name: 'maxPool2d', fn: (x: Tensor) => ops.maxPool2d(x, { poolSize: 3, strides: 2, padding: 1 }) },
  { name: 'avgPool2d', fn: (x: Tensor) => ops.avgPool2d(x, { poolSize: 3, strides: 2, padding: 1 }) },
  {
    name: 'avgPool2d without its padding',
    fn: (x: Tensor) => ops.avgPool2d(x, { poolSize: [3, 2], padding: 1, countIncludePad: false }),
  },
  { name: 'batchNorm', fn: (x: Tensor) => ops.batchNorm(x, ...statistics(x), { training: true, relu: true }) },
  { name: 'batchNormAddRelu', fn: (x: Tensor) => ops.batchNormAddRelu(x, x, ...statistics(x), { training: true }) },
];

/** The result, and the gradient of x. `during` is called before the pass of that name. */
function run(fn: (x: Tensor) => Tensor, shape: number[], on: Device, during: (pass: 'forward' | 'backward') => void) {
  return tidy(() => {
    const x = tensor(uniformValues(sizeOf(shape), 1), { shape, device: on });
    x.requiresGrad = true;
    during('forward');
    const y = autograd.record(() => fn(x));
    const head = tensor(uniformValues(sizeOf(y.shape), 2), { shape: y.shape, device: on });
    during('backward');
    y.backward(head);
    const gradient = x.grad as Tensor;
    const values = { y: y.dataSync(), gradient: gradient.dataSync() };
    gradient.dispose();
    return values;
  });
}

describe.skipIf(!device)(`refused engines${device ? '' : ' (skipped: no emulated gpu(0))'}`, () => {
  let folder = '';
  let log = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'residua-refused-'));
    log = join(folder, 'log');
    process.env.RESIDUA_EMULATED_FAULT_LOG = log;
  });
  afterAll(() => {
    delete process.env.RESIDUA_EMULATED_FAULT_LOG;
    rmSync(folder, { recursive: true, force: true });
  });

  /** How many failures have been made. */
  const failures = (): number => {
    try {
      return readFileSync(log, 'utf8').trim().split('\n').length;
    } catch {
      return 0;
    }
  };

  test.each(cases.flatMap((each) => (['forward', 'backward'] as const).map((pass) => ({ ...each, pass }))))(
    '$name, $pass',
    ({ fn, pass }) => {
      let takenOver = 0;
      for (let call = 1; call <= most; call++) {
        const shape = [2, 8, 5 + call, pass === 'forward' ? 7 : 6]; // a new one: plans are kept
        const before = failures();
        const fail = (begun: string) => {
          if (begun === pass) process.env.RESIDUA_EMULATED_FAULT = `cudnnBackendFinalize:${call}:${notSupported}`;
        };
        try {
          const actual = run(fn, shape, device as Device, fail);
          const expected = run(fn, shape, cpu(), () => {});
          expectClose(actual.y, expected.y, { what: `y, call ${call}` });
          expectClose(actual.gradient, expected.gradient, { what: `gradient, call ${call}`, atol: 1e-4 });
          if (failures() > before) takenOver += 1;
        } catch (error) {
          if ((error as Error).name === 'AssertionError') throw error;
          expectResiduaError(error, 'NATIVE_ERROR', ['cudnnBackendFinalize']);
        } finally {
          delete process.env.RESIDUA_EMULATED_FAULT;
        }
      }
      expect(takenOver, 'how often another way was taken').toBeGreaterThan(0);
    },
  );
});
