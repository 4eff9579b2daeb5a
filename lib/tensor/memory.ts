// Memory in use, over all backends: how leaks are found.
import { openedBackends } from '../device.js';

export interface MemoryInfo {
  /** Tensors whose memory is in use. Tensors that share it (`reshape`, `detach`) count as one. */
  tensors: number;
  /** Bytes in them. */
  bytes: number;
  /** The most that `bytes` has been, on each backend by itself, summed. */
  peakBytes: number;
}

/** Live tensors and bytes on every device that was used, for leak checks. */
export function memory(): MemoryInfo {
  const total: MemoryInfo = { tensors: 0, bytes: 0, peakBytes: 0 };
  for (const backend of openedBackends()) {
    const stats = backend.memory();
    total.tensors += stats.tensors;
    total.bytes += stats.bytes;
    total.peakBytes += stats.peakBytes;
  }
  return total;
}
