// The GPU's memory: reused, split and joined, limited, given back, and errors that say what would have been needed.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import type { Device } from '../../lib/index.js';
import type { NativeBackend, NativeTensor } from '../../lib/native.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';
import { emulatedGpu, onEmulation, withVariables } from './emulated-gpu.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const pageBytes = 16 * KiB;

describe.skipIf(!emulatedGpu)(onEmulation('memory of the GPU'), () => {
  let backend: NativeBackend;
  let live: NativeTensor[] = [];

  beforeEach(() => {
    backend = backendOf(emulatedGpu as Device);
    backend.trim();
  });
  afterEach(() => {
    for (const tensor of live) tensor.dispose();
    live = [];
    backend.trim();
  });

  const reserved = (): number => backend.memory().reservedBytes;

  /** A new tensor of that many bytes: an op gives it memory at once. Gathering is the least work for the emulation. */
  function allocate(bytes: number): NativeTensor {
    const rows = Number.isInteger(bytes / pageBytes) ? bytes / pageBytes : 1;
    const page = backend.fromHost(new Uint8Array(bytes / rows), [1, bytes / rows], 'uint8');
    const indices = backend.fromHost(new Int32Array(rows), [rows], 'int32');
    const [made] = backend.run('gatherRows', {}, [page, indices]) as [NativeTensor];
    for (const input of [page, indices]) input.dispose();
    live.push(made);
    return made;
  }

  /** Runs `body` with so much memory on the device, beside what is taken already. */
  const withFree = <T>(bytes: number, body: () => T): T =>
    withVariables({ RESIDUA_EMULATED_MEMORY: String(bytes) }, body);

  test('is counted: tensors, bytes, the most there were', () => {
    const before = backend.memory();
    const [a, b] = [allocate(1000), allocate(5 * MiB)];
    expect(backend.memory().tensors).toBe(before.tensors + 2);
    expect(backend.memory().bytes).toBe(before.bytes + 1000 + 5 * MiB);
    expect(backend.memory().peakBytes).toBeGreaterThanOrEqual(before.bytes + 1000 + 5 * MiB);
    for (const tensor of [a, b]) tensor.dispose();
    expect(backend.memory().tensors).toBe(before.tensors);
    expect(backend.memory().bytes).toBe(before.bytes);
  });

  test('is taken in segments as it is needed: never all of it', () => {
    const before = reserved();
    allocate(1 * KiB);
    expect(reserved() - before).toBeLessThanOrEqual(4 * MiB);
    allocate(3 * MiB);
    expect(reserved() - before).toBeLessThanOrEqual(24 * MiB);
    allocate(100 * MiB);
    expect(reserved() - before).toBeLessThanOrEqual(124 * MiB);
  });

  test('is used again: twenty tensors, one after the other, in the memory of one', () => {
    allocate(30 * MiB).dispose();
    const after = reserved();
    for (let i = 0; i < 20; i += 1) allocate(30 * MiB - i * pageBytes).dispose();
    expect(reserved()).toBe(after);
  });

  test('blocks are split and joined again, in whatever order they are freed', () => {
    const sizes = [3, 1.5, 4, 2, 2.5, 1.25].map((size) => size * MiB);
    const first = sizes.map(allocate);
    const after = reserved();
    for (const order of [
      [0, 1, 2, 3, 4, 5],
      [5, 4, 3, 2, 1, 0],
      [1, 3, 5, 0, 2, 4],
    ]) {
      const tensors = order[0] === 0 ? first : sizes.map(allocate);
      for (const index of order) tensors[index]?.dispose();
      allocate(18 * MiB).dispose(); // nearly the whole segment, in one piece
      expect(reserved()).toBe(after);
    }
  });

  test('small tensors share segments of their own', () => {
    const before = reserved();
    for (let i = 0; i < 1000; i += 1) allocate(1 + i);
    expect(reserved() - before).toBeLessThanOrEqual(4 * MiB);
  });

  test('neighbours keep their values', () => {
    const values = [1, 2, 3].map((value) => {
      const array = new Uint8Array(2000 + value).fill(value);
      const tensor = backend.fromHost(array, [array.length], 'uint8');
      live.push(tensor);
      return { array, tensor };
    });
    for (const { array, tensor } of values) expect(backend.read(tensor)).toEqual(array);
  });

  test('trim() gives back what is not in use', () => {
    const kept = allocate(4 * MiB);
    allocate(64 * MiB).dispose();
    expect(reserved()).toBeGreaterThanOrEqual(68 * MiB);
    backend.trim();
    expect(reserved()).toBeLessThanOrEqual(32 * MiB);
    expect(backend.read(kept).length).toBe(4 * MiB);
    kept.dispose();
    backend.trim();
    expect(reserved()).toBe(0);
  });

  test('too much: an OutOfMemoryError with what was asked for, what is free and what would help; then all goes on', () => {
    const error = withFree(300 * MiB, () => errorOf(() => allocate(400 * MiB)));
    expectResiduaError(error, 'OUT_OF_MEMORY', ['gpu(0)', '400.0 MiB asked for', 'smaller batch']);
    const { bytesAsked, bytesFree } = (error as { details: Record<string, number> }).details;
    expect(Number(bytesAsked)).toBe(400 * MiB);
    expect(Number(bytesFree)).toBeGreaterThan(200 * MiB);
    expect(Number(bytesFree)).toBeLessThanOrEqual(300 * MiB);
    expect(backend.read(allocate(10)).length).toBe(10);
  });

  test('idle segments go back before memory is said to be out', () => {
    withFree(300 * MiB, () => {
      for (const size of [60, 70, 80]) allocate(size * MiB);
      for (const tensor of live.splice(0)) tensor.dispose();
      expect(reserved()).toBeGreaterThanOrEqual(200 * MiB);
      allocate(250 * MiB);
      expect(reserved()).toBeLessThanOrEqual(300 * MiB);
    });
  });

  test('the last bytes of the GPU are used too, without the usual spare', () => {
    const free = 68 * MiB; // 4 MiB of it are with cuBLAS
    withFree(free, () => {
      allocate(58 * MiB);
      allocate(2 * MiB); // no segment of 20 MiB is left for it
      expectResiduaError(
        errorOf(() => allocate(8 * MiB)),
        'OUT_OF_MEMORY',
        [],
      );
    });
  });

  test('terabytes are refused', () => {
    expectResiduaError(
      errorOf(() => backend.run('broadcastTo', { shape: [1, 2 ** 45] }, [allocate(1)])),
      'OUT_OF_MEMORY',
      ['32.0 TiB'],
    );
  });

  test('a failure of cudaMalloc that is not for want of memory is a NativeError', () => {
    const error = withVariables({ RESIDUA_EMULATED_FAULT: 'cudaMalloc:1:999' }, () =>
      errorOf(() => allocate(200 * MiB)),
    );
    expectResiduaError(error, 'NATIVE_ERROR', ['cudaErrorUnknown', 'cudaMalloc']);
    allocate(200 * MiB);
  });

  test('reading a tensor needs as much again, or else waits for the copy', () => {
    const values = new Uint8Array(40 * MiB);
    for (let i = 0; i < values.length; i += 1) values[i] = i % 251;
    const tensor = backend.fromHost(values, [values.length], 'uint8');
    live.push(tensor);
    backend.synchronize();
    backend.trim();
    withFree(50 * MiB, () => expect(Buffer.compare(backend.read(tensor) as Uint8Array, values)).toBe(0));
  });
});
