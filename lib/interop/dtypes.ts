// The element types of files of weights, under safetensors' names, and float32 values from their bytes.

/** Bytes of one element, for every type that safetensors knows. */
export const bytesOf: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};

/** The types that weights may have. */
export const floatTypes: readonly string[] = ['F32', 'F64', 'F16', 'BF16'];

/** Values of one of `floatTypes`, little-endian, as float32. `bytes` must be aligned to the element. */
export function floatsFrom(dtype: string, bytes: ArrayBuffer): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes);
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes));
  if (dtype === 'BF16') return floatsFromBfloat16(new Uint16Array(bytes));
  return Float32Array.from(new Uint16Array(bytes), floatFromHalf);
}

/** A bfloat16 is the upper half of a float32. */
function floatsFromBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

/** IEEE 754 binary16: 1 sign bit, 5 of exponent (bias 15), 10 of fraction. */
function floatFromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
