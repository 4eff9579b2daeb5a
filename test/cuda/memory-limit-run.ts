// Started by memory-limit.test.ts: takes memory of gpu(0) until there is no more; prints what it had, and the error.
import { backendOf } from '../../lib/device.js';
import { gpu } from '../../lib/index.js';
import type { NativeTensor } from '../../lib/native.js';

const backend = backendOf(gpu(0));
const page = backend.fromHost(new Uint8Array(2 ** 16), [1, 2 ** 16], 'uint8');
const indices = backend.fromHost(new Int32Array(128), [128], 'int32');
const tensors: NativeTensor[] = [];
try {
  for (;;) tensors.push(...backend.run('gatherRows', {}, [page, indices]));
} catch (error) {
  const { message, details } = error as Error & { details: object };
  process.stdout.write(JSON.stringify({ count: tensors.length, message, details, memory: backend.memory() }));
}
