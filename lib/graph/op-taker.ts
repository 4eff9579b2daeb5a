// Where ops go that are not run at once.
import type { NativeTensor, OpAttributes } from '../native.js';

export interface OpTaker {
  /** Takes one op; its outputs have shapes and types, and no values. Throws what running it would throw for its shapes and types. */
  record(op: string, attributes: OpAttributes, inputs: readonly NativeTensor[]): NativeTensor[];
  /** Gives the outputs their values, or throws. */
  flush(): void;
}
