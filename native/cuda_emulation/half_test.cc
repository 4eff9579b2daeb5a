// The 16-bit types against tables of all their values: each rounds to the nearest, and ties to the even one.
#include <cmath>
#include <cstdint>
#include <limits>

#include "cuda_bf16.h"
#include "cuda_emulation/test_checks.h"
#include "cuda_fp16.h"

using namespace residua::cuda_emulation;

namespace {

// A value from sign, exponent and fraction fields, by the definition of IEEE 754.
double Decode(unsigned bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = static_cast<int>(bits) & ((1 << fraction_bits) - 1);
  const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

// Checks every value of a type, and what lies between neighbours. FromFloat: float -> bits; ToFloat: bits -> float.
template <class FromFloat, class ToFloat>
void CheckAllValues(int exponent_bits, int fraction_bits, const FromFloat& from_float, const ToFloat& to_float) {
  const unsigned infinity = ((1u << exponent_bits) - 1) << fraction_bits;
  for (unsigned sign : {0u, 0x8000u}) {
    for (unsigned bits = 0; bits < 0x8000u; ++bits) {
      const double value = Decode(sign | bits, exponent_bits, fraction_bits);
      const float as_float = to_float(static_cast<unsigned short>(sign | bits));
      if (bits > infinity) {
        EXPECT(std::isnan(as_float));
        EXPECT_EQUAL(from_float(as_float), 0x7fff);
        continue;
      }
      EXPECT_EQUAL(static_cast<double>(as_float), value);
      EXPECT_EQUAL(std::signbit(as_float), sign != 0);
      EXPECT_EQUAL(from_float(as_float), static_cast<unsigned short>(sign | bits));
      if (bits == infinity) continue;
      // The next value away from zero; beyond the largest, where it would lie.
      const double next = bits + 1 == infinity ? 2 * value - Decode(sign | (bits - 1), exponent_bits, fraction_bits)
                                               : Decode(sign | (bits + 1), exponent_bits, fraction_bits);
      const double middle = (value + next) / 2;
      const auto tie = static_cast<float>(middle);  // exact: a float has more bits
      if (std::isinf(tie)) continue;                // no float lies there
      EXPECT_EQUAL(static_cast<double>(tie), middle);
      const unsigned even = bits % 2 == 0 ? bits : bits + 1;
      EXPECT_EQUAL(from_float(tie), static_cast<unsigned short>(sign | even));
      EXPECT_EQUAL(from_float(std::nextafter(tie, 0.0f)), static_cast<unsigned short>(sign | bits));
      const float beyond = std::nextafter(tie, static_cast<float>(next));
      EXPECT_EQUAL(from_float(beyond), static_cast<unsigned short>(sign | (bits + 1)));
    }
  }
}

}  // namespace

TEST(BFloat16Values, "16 bits: every bfloat16, and the rounding between each two") {
  CheckAllValues(
      8, 7, [](float value) { return __bfloat16_as_ushort(__float2bfloat16(value)); },
      [](unsigned short bits) { return __bfloat162float(__ushort_as_bfloat16(bits)); });
}

TEST(HalfValues, "16 bits: every half, and the rounding between each two") {
  CheckAllValues(
      5, 10, [](float value) { return __half_as_ushort(__float2half(value)); },
      [](unsigned short bits) { return __half2float(__ushort_as_half(bits)); });
}

TEST(LargeFloats, "16 bits: the largest floats become infinity") {
  const float largest = std::numeric_limits<float>::max();
  EXPECT_EQUAL(__bfloat16_as_ushort(__float2bfloat16(largest)), 0x7f80);
  EXPECT_EQUAL(__half_as_ushort(__float2half(-largest)), 0xfc00);
  EXPECT_EQUAL(__half_as_ushort(__float2half(65519.996f)), 0x7bff);
  EXPECT_EQUAL(__half_as_ushort(__float2half(65520.0f)), 0x7c00);
}

TEST(Pairs, "16 bits: pairs keep their order") {
  const float2 values = __bfloat1622float2(__floats2bfloat162_rn(1, 2));
  EXPECT(values.x == 1 && values.y == 2);
  const float2 halves = __half22float2(__float22half2_rn(make_float2(3, 4)));
  EXPECT(halves.x == 3 && halves.y == 4);
  EXPECT_EQUAL(__high2float(__float2half2_rn(5)), 5.0f);
  EXPECT_EQUAL(sizeof(__half2), 4u);
  EXPECT_EQUAL(alignof(__nv_bfloat162), 4u);
}
