// Comparison of arrays of numbers within a tolerance, with a message that leads to the worst element.
import { expect } from 'vitest';

export interface Tolerance {
  /** Relative to the expected value. Default 1e-4. */
  rtol?: number;
  /** Absolute. Default 1e-5. */
  atol?: number;
}

type Numbers = ArrayLike<number>;

/** The worst element as a multiple of its tolerance. NaN and infinities must be equal. */
export function worstElement(actual: Numbers, expected: Numbers, { rtol = 1e-4, atol = 1e-5 }: Tolerance = {}) {
  let worst = { index: -1, excess: 0 };
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] as number;
    const e = expected[i] as number;
    const excess = Object.is(a, e) || a === e ? 0 : Math.abs(a - e) / (atol + rtol * Math.abs(e));
    if (!(excess <= worst.excess)) worst = { index: i, excess: Number.isNaN(excess) ? Infinity : excess };
  }
  return worst;
}

/** Index by axis of a flat index: 7 in [2, 5] is [1, 2]. */
export function indexByAxis(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return shape
    .toReversed()
    .map((d) => {
      const index = rest % d;
      rest = (rest - index) / d;
      return index;
    })
    .toReversed();
}

/** Fails unless |actual - expected| <= atol + rtol |expected| for each element. `what` names the values in the message. */
export function expectClose(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance & { what?: string; shape?: readonly number[] } = {},
): void {
  const { what = 'values', shape = [expected.length] } = tolerance;
  if (actual.length !== expected.length)
    expect.fail(`${what}: expected ${expected.length} values, got ${actual.length}`);
  const { index, excess } = worstElement(actual, expected, tolerance);
  if (excess <= 1) return;
  const where = `[${indexByAxis(index, shape).join(', ')}] of [${shape.join(', ')}]`;
  expect.fail(
    `${what}: worst at ${where}: expected ${expected[index]}, got ${actual[index]}, ${excess.toFixed(1)} times the tolerance`,
  );
}
