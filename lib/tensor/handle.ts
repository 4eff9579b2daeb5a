// What Tensor objects of the same values share.
import { disposeNative } from '../graph/borrowed.js';
import type { NativeTensor } from '../native.js';
import type { Tensor } from './tensor.js';

/** A native tensor with a count of the Tensor objects that refer to it. */
export class Handle {
  readonly native: NativeTensor;
  references = 0;
  /** Counts updates in place. */
  version = 0;
  /** The values in another type, until they change: the 16-bit copy of a weight in mixed precision. */
  copy: Tensor | null = null;

  constructor(native: NativeTensor) {
    this.native = native;
  }

  markUpdated(): void {
    this.version += 1;
    this.dropCopy();
  }

  /** One reference less; the last one frees the values. */
  release(): void {
    this.references -= 1;
    if (this.references > 0) return;
    disposeNative(this.native);
    this.dropCopy();
  }

  dropCopy(): void {
    this.copy?.dispose();
    this.copy = null;
  }
}
