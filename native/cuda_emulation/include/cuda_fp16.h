// IEEE half precision as <cuda_fp16.h> declares it: conversions round to nearest even, arithmetic is float arithmetic
// rounded once.
#pragma once
#include "device_math.h"
#include "vector_types.h"

struct alignas(2) __half_raw {
  unsigned short x;
};

namespace residua::cuda_emulation {

inline unsigned short HalfBits(float value) {
  const unsigned bits = BitCast<unsigned>(value);
  const unsigned sign = (bits >> 16) & 0x8000u;
  const unsigned magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7fff;                                             // the one NaN that CUDA makes
  if (magnitude >= 0x477ff000u) return static_cast<unsigned short>(sign | 0x7c00u);       // from 65520: infinity
  if (magnitude < 0x38800000u) {                                                          // below 2^-14: subnormal
    const float units = BitCast<float>(magnitude) * 0x1p24f;                              // exact
    return static_cast<unsigned short>(sign | static_cast<unsigned>(nearbyintf(units)));  // to nearest even
  }
  const unsigned rounded = magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u);  // bias 127 -> 15
  return static_cast<unsigned short>(sign | rounded >> 13);
}

inline float HalfValue(unsigned short bits) {
  const unsigned sign = (bits & 0x8000u) << 16;
  const unsigned exponent = (bits >> 10) & 0x1fu;
  const unsigned fraction = bits & 0x3ffu;
  if (exponent == 0x1f)
    return BitCast<float>(fraction != 0 ? 0x7fffffffu : sign | 0x7f800000u);  // one NaN, or infinity
  if (exponent != 0) return BitCast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

}  // namespace residua::cuda_emulation

struct alignas(2) __half {
  __half() = default;
  __half(const __half_raw& raw) : bits_(raw.x) {}
  __half(float value) : bits_(residua::cuda_emulation::HalfBits(value)) {}
  operator float() const { return residua::cuda_emulation::HalfValue(bits_); }
  operator __half_raw() const { return {bits_}; }

 private:
  unsigned short bits_;
};

struct alignas(4) __half2 {
  __half x, y;
};

typedef __half half;
typedef __half2 half2;

inline __half __float2half(float value) { return __half(value); }
inline __half __float2half_rn(float value) { return __half(value); }
inline float __half2float(__half value) { return static_cast<float>(value); }
inline unsigned short __half_as_ushort(__half value) { return static_cast<__half_raw>(value).x; }
inline __half __ushort_as_half(unsigned short bits) { return __half_raw{bits}; }

inline __half2 __halves2half2(__half low, __half high) { return {low, high}; }
inline __half2 __floats2half2_rn(float low, float high) { return {low, high}; }
inline __half2 __float22half2_rn(float2 pair) { return {pair.x, pair.y}; }
inline __half2 __float2half2_rn(float both) { return {both, both}; }
inline float2 __half22float2(__half2 pair) { return {pair.x, pair.y}; }
inline __half __low2half(__half2 pair) { return pair.x; }
inline __half __high2half(__half2 pair) { return pair.y; }
inline float __low2float(__half2 pair) { return pair.x; }
inline float __high2float(__half2 pair) { return pair.y; }

// A float holds sums, products and quotients of two such numbers with bits to spare, so that rounding twice is
// rounding once.
inline __half operator+(__half a, __half b) { return static_cast<float>(a) + static_cast<float>(b); }
inline __half operator-(__half a, __half b) { return static_cast<float>(a) - static_cast<float>(b); }
inline __half operator*(__half a, __half b) { return static_cast<float>(a) * static_cast<float>(b); }
inline __half operator/(__half a, __half b) { return static_cast<float>(a) / static_cast<float>(b); }
