// The CUDA backend beside its ops: copies from and to the host, their order among the ops, layouts, streams.
import { describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import { type Device, memory, ops, type Tensor, tensor } from '../../lib/index.js';
import type { NativeTensor, TypedArray } from '../../lib/native.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError, rejectionOf } from '../helpers/errors.js';
import { uniformValues } from '../helpers/values.js';

const gpus = testDevices.filter((device) => device.kind === 'gpu');

describe.skipIf(gpus.length === 0)(`backend${gpus.length ? '' : ' (skipped: no gpu(0))'}`, () => {
  const device = gpus[0] as Device;
  const backend = gpus.length ? backendOf(device) : backendOf(testDevices[0] as Device);

  /** Bytes that differ from their neighbours, near and far. */
  function pattern(length: number): Uint8Array {
    const values = new Uint8Array(length);
    for (let i = 0; i < length; i += 1) values[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 255;
    return values;
  }

  function expectBytes(found: TypedArray, expected: Uint8Array, message?: string): void {
    expect(Buffer.compare(found as Uint8Array, expected), message).toBe(0);
  }

  test('describes GPU, driver, libraries, memory', () => {
    const facts = backend.describe();
    for (const key of ['driver', 'cudaRuntime', 'cuDNN', 'cuBLAS', 'computeCapability'])
      expect(facts[key], key).toMatch(/\d+\.\d+/);
    for (const key of ['memoryTotal', 'memoryFree']) expect(facts[key], key).toMatch(/^\d+(\.\d+)? [KMGT]?i?B$/);
    for (const key of ['gpu', 'multiprocessors', 'libraryFile', 'tf32']) expect(facts[key], key).toBeTruthy();
    expect(facts.emulation).toMatch(/^(yes|no)$/);
    expect(backend.name).toBe('gpu(0)');
  });

  test('has all types', () => {
    for (const dtype of ['float32', 'float16', 'int32', 'uint8'] as const) expect(backend.supports(dtype)).toBe(true);
  });

  // Around 64 KiB, up to which values ride along with the ops; around the 4 MiB and 16 MiB of one piece.
  test.each([1, 3, 65535, 65536, 65537, 2 ** 22, 2 ** 22 + 1, 2 ** 24, 2 ** 24 + 5, 2 ** 25 + 2 ** 22 + 1])(
    '%i bytes to the GPU and back',
    async (length) => {
      const values = pattern(length);
      const copy = tensor(values, { device });
      values.fill(0); // read before tensor() returned
      expectBytes(await copy.data(), pattern(length));
      expectBytes(copy.dataSync(), pattern(length));
      copy.dispose();
    },
  );

  test('many uploads and downloads under way at once', async () => {
    const sizes = Array.from({ length: 60 }, (_, i) => 1 + ((i * 7919) % 300_000));
    const before = memory().tensors;
    const reads = sizes.map((size, i) => {
      const sent = tensor(pattern(size), { device });
      const read = sent.data();
      sent.dispose(); // its memory may be the next one's
      return { read, size, i };
    });
    expect(memory().tensors).toBe(before);
    for (const { read, size, i } of reads) expectBytes(await read, pattern(size), `upload ${i}`);
  });

  test('more uploads than there is staging memory for', () => {
    const sent = Array.from({ length: 12 }, (_, i) => {
      const values = pattern(2 ** 24);
      values[0] = i;
      return tensor(values, { device });
    });
    for (const [i, each] of sent.entries()) {
      const values = pattern(2 ** 24);
      values[0] = i;
      expectBytes(each.dataSync(), values, `upload ${i}`);
      each.dispose();
    }
  });

  test('a read gives the values of its moment, whatever is enqueued after it', async () => {
    const w = tensor(uniformValues(1000, 1), { device });
    const before = [...w.dataSync()];
    const read = w.data();
    const gradient = tensor(uniformValues(1000, 2), { device });
    ops.sgdUpdate([w], [gradient], null, { rescale: 1, momentum: 0, clip: 0, lrs: [1], wds: [0] });
    expect([...(await read)]).toEqual(before);
    for (const made of [w, gradient]) made.dispose();
  });

  test('what is computed with a tensor that is then disposed is right', async () => {
    const results: { sum: Tensor; expected: number }[] = [];
    for (let i = 0; i < 50; i += 1) {
      const x = tensor(new Float32Array(5000).fill(i), { device });
      const doubled = ops.mul(x, 2);
      results.push({ sum: ops.mean(doubled), expected: 2 * i });
      for (const made of [x, doubled]) made.dispose();
    }
    for (const { sum, expected } of results) {
      expect((await sum.data())[0]).toBe(expected);
      sum.dispose();
    }
  });

  test.each([
    ['float32', 2, 5, 3, 4],
    ['bfloat16', 3, 7, 1, 5],
    ['float16', 1, 40, 6, 6],
    ['float32', 2, 1, 5, 7],
    ['float32', 4, 9, 1, 1],
  ] as const)('%s images [%i, %i, %i, %i] lie NHWC inside and are read NCHW', (dtype, n, c, h, w) => {
    // A kernel of one pixel that picks channel o for output o: y equals x, in the layout of a convolution.
    const values = new Float32Array(n * c * h * w).map((_, i) => i % 97);
    const identity = new Float32Array(c * c).map((_, i) => (i % (c + 1) === 0 ? 1 : 0));
    const x = tensor(values, { shape: [n, c, h, w], dtype, device });
    const kernel = tensor(identity, { shape: [c, c, 1, 1], dtype, device });
    const y = ops.conv2d(x, kernel, null, {});
    expect([...y.dataSync()]).toEqual([...values]);
    // Ops that want plain rows get them.
    expect([...ops.reshape(y, [-1]).dataSync()]).toEqual([...values]);
    for (const made of [x, kernel, y]) made.dispose();
  });

  test("an op's internal bytes cannot be read", async () => {
    const x = backend.fromHost(uniformValues(2 * 8 * 4 * 4, 1), [2, 8, 4, 4], 'float32');
    const one = (value: number): NativeTensor => backend.fromHost(new Float32Array(8).fill(value), [8], 'float32');
    const outputs = backend.run('batchNorm', { epsilon: 1e-5, momentum: 0.9, training: true, relu: true }, [
      x,
      one(1),
      one(0),
      one(0),
      one(1),
    ]);
    const mask = outputs[3] as NativeTensor;
    expectResiduaError(await rejectionOf(backend.readAsync(mask)), 'NATIVE_ERROR', ['internal bytes']);
    expectResiduaError(
      errorOf(() => backend.read(mask)),
      'NATIVE_ERROR',
      ['internal bytes'],
    );
    expect(backend.read(outputs[0] as NativeTensor).length).toBe(2 * 8 * 4 * 4);
    for (const made of [x, ...outputs]) made.dispose();
  });

  test('trim() in the middle of work changes no values', async () => {
    const x = tensor(pattern(100_000), { device });
    const y = ops.cast(x, 'float32');
    const read = y.data();
    backend.trim();
    expect([...(await read).subarray(0, 1000)]).toEqual([...pattern(1000)]);
    expect([...y.dataSync().subarray(99_000)]).toEqual([...pattern(100_000).subarray(99_000)]);
    for (const made of [x, y]) made.dispose();
  });
});
