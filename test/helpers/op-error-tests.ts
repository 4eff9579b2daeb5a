// Runs cases of bad input to ops on every test device: each a typed error, nothing left in memory, and the next op works.
import { afterEach, describe, expect, test } from 'vitest';
import { type Device, memory, ops, type Tensor, tensor, tidy, zeros } from '../../lib/index.js';
import { testDevices } from './devices.js';
import { type ErrorCode, errorOf, expectResiduaError } from './errors.js';

export interface OpErrorCase {
  name: string;
  /** `of(2, 3)` makes zeros of that shape on the device. */
  call: (of: (...shape: number[]) => Tensor, device: Device) => unknown;
  code: ErrorCode;
  /** What the message must hold. */
  says: (string | RegExp)[];
}

export const ints = (device: Device, ...values: number[]): Tensor => tensor(Int32Array.from(values), { device });

/** A value that the types forbid. */
export const anything = (value: unknown): never => value as never;

export function testOpErrors(what: string, cases: readonly OpErrorCase[]): void {
  describe.each(testDevices)(`${what} on %s`, (device) => {
    const before = memory().tensors;
    afterEach(() => {
      expect(
        tidy(() => ops.add(tensor([1, 2], { device }), 1).toArray()),
        'the next op',
      ).toEqual([2, 3]);
      expect(memory().tensors, 'live tensors').toBe(before);
    });

    test.each(cases)('$name', ({ call, code, says }) => {
      tidy(() => {
        const of = (...shape: number[]) => zeros(shape, { device });
        expectResiduaError(
          errorOf(() => call(of, device)),
          code,
          says,
        );
      });
    });
  });
}
