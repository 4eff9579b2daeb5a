// Runs cases of bad input to layers and what trains them: each a typed error, and the next op works.
import { describe, expect, test } from 'vitest';
import { type nn, ops, tensor, tidy } from '../../lib/index.js';
import { type ErrorCode, errorOf, expectResiduaError } from './errors.js';

export interface ErrorCase {
  name: string;
  call: () => unknown;
  code: ErrorCode;
  /** What the message must hold. */
  says: (string | RegExp)[];
}

/** A value that the types forbid. */
export const anything = (value: unknown) => value as never;

/** The layer, initialised. */
export const ready = <T extends nn.Block>(layer: T): T => {
  layer.initialize();
  return layer;
};

export function testErrors(what: string, cases: readonly ErrorCase[]): void {
  describe(what, () => {
    test.each(cases)('$name', ({ call, code, says }) => {
      tidy(() => expectResiduaError(errorOf(call), code, says));
      expect(
        tidy(() => ops.add(tensor([1, 2]), 1).toArray()),
        'the next op',
      ).toEqual([2, 3]);
    });
  });
}
