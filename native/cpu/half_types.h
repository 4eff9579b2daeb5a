// The two 16-bit float types, and conversions to and from float, rounding to nearest even.
#pragma once
#include <cstdint>
#include <cstring>

#include "core/half.h"

namespace residua::cpu {

struct BFloat16 {  // 1 sign, 8 exponent, 7 fraction bits: the upper half of a float
  uint16_t bits;
};

struct Float16 {  // IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits
  uint16_t bits;
};

inline uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

inline float ToFloat(BFloat16 value) { return FloatFromBFloat16(value.bits); }
inline float ToFloat(Float16 value) { return FloatFromFloat16(value.bits); }

inline BFloat16 ToBFloat16(float value) {
  const uint32_t bits = BitsOf(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t quiet_nan = (bits >> 16) | 0x40u;
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return {static_cast<uint16_t>(is_nan ? quiet_nan : rounded)};
}

inline Float16 ToFloat16(float value) {
  const uint32_t magnitude = BitsOf(value) & 0x7fffffffu;
  const uint32_t rounded =
      (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;  // exponent bias 127 -> 15
  // In [0.5, 1) floats are 2^-24 apart, as half-precision subnormals are: the addition does the rounding.
  const uint32_t subnormal = BitsOf(FloatFromBits(magnitude) + 0.5f) - BitsOf(0.5f);
  uint32_t bits = magnitude < 0x38800000u ? subnormal : rounded;  // below 2^-14
  bits = magnitude >= 0x477ff000u ? 0x7c00u : bits;               // 65520 and more: infinity
  bits = magnitude > 0x7f800000u ? 0x7e00u : bits;                // NaN
  return {static_cast<uint16_t>(bits | ((BitsOf(value) >> 16) & 0x8000u))};
}

}  // namespace residua::cpu
