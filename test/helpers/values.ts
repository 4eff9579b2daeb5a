// Test values from an integer hash, so that inputs need not be stored: scripts/fixtures/values.py computes the same bits.

/** `count` 32-bit hashes: lowbias32 (C. Wellons, "Hash Prospector") of seed * 0x9e3779b9 + i. Plain loops: tests make tens of millions. */
export function hashed(seed: number, count: number): Uint32Array {
  const start = Math.imul(seed, 0x9e3779b9);
  const hashes = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (start + i) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    hashes[i] = x ^ (x >>> 16);
  }
  return hashes;
}

/** float32 in [offset - scale, offset + scale): multiples of 2^-23 before scaling, each step rounded to float32. */
export function uniformValues(count: number, seed: number, scale = 1, offset = 0): Float32Array {
  const scale32 = Math.fround(scale);
  const offset32 = Math.fround(offset);
  const hashes = hashed(seed, count);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const unit = (hashes[i]! >>> 8) / 2 ** 23 - 1;
    values[i] = Math.fround(unit * scale32) + offset32;
  }
  return values;
}

/** int32 in 0 .. below - 1. */
export function integerValues(count: number, seed: number, below: number): Int32Array {
  return Int32Array.from(hashed(seed, count), (hash) => hash % below);
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** float32 values in shuffled order, symmetric about 0 and `gap` apart, none nearer to 0 than half of it: no two within a small step. */
export function spacedValues(count: number, seed: number, gap = 0.05): Float32Array {
  const keys = hashed(seed, count);
  const order = [...keys.keys()].sort((a, b) => (keys[a] as number) - (keys[b] as number));
  const values = new Float32Array(count);
  const middle = count % 2 === 0 ? (count - 1) / 2 : (count - 2) / 2;
  for (const [rank, index] of order.entries()) values[index] = (rank - middle) * gap;
  return values;
}
