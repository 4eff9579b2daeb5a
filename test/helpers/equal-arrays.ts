// Set up before each test file: typed arrays of the same bytes are equal without a look at each of millions of elements.
import { expect } from 'vitest';

expect.addEqualityTesters([
  (a: unknown, b: unknown): boolean | undefined => {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return undefined;
    const [bytesOfA, bytesOfB] = [a, b].map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength));
    return bytesOfA!.equals(bytesOfB!) || undefined; // else by element, which shows the difference
  },
]);
