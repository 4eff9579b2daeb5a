// The five element types as C++ types: dispatch, and the way from an element to the type it is computed in and back.
#pragma once
#include <cstdint>
#include <string>
#include <type_traits>

#include "core/dtype.h"
#include "core/error.h"
#include "cpu/half_types.h"
#include "cpu/simd.h"

namespace residua::cpu {

template <class T>
struct TypeTag {
  using Type = T;
};

// Calls f(TypeTag<T>{}) with the C++ type of `dtype`.
template <class F>
auto DispatchType(DType dtype, const F& f) {
  switch (dtype) {
    case DType::kFloat32:
      return f(TypeTag<float>{});
    case DType::kBFloat16:
      return f(TypeTag<BFloat16>{});
    case DType::kFloat16:
      return f(TypeTag<Float16>{});
    case DType::kInt32:
      return f(TypeTag<int32_t>{});
    case DType::kUInt8:
      return f(TypeTag<uint8_t>{});
  }
  throw Error(ErrorCode::kDType, "Unknown element type.");
}

// As DispatchType, for ops that exist for floating-point types only.
template <class F>
auto DispatchFloat(DType dtype, const F& f) {
  switch (dtype) {
    case DType::kFloat32:
      return f(TypeTag<float>{});
    case DType::kBFloat16:
      return f(TypeTag<BFloat16>{});
    case DType::kFloat16:
      return f(TypeTag<Float16>{});
    default:
      throw Error(ErrorCode::kDType, std::string("Expected a floating-point type, got ") + Name(dtype) + ".");
  }
}

template <class T>
constexpr bool kIsInteger = std::is_integral_v<T>;

// What an element is computed in: float for the floating-point types, int32 for the integers.
template <class T>
using ComputeType = std::conditional_t<kIsInteger<T>, int32_t, float>;

RESIDUA_INLINE float Load(float value) { return value; }
RESIDUA_INLINE float Load(BFloat16 value) { return ToFloat(value); }
RESIDUA_INLINE float Load(Float16 value) { return ToFloat(value); }
RESIDUA_INLINE int32_t Load(int32_t value) { return value; }
RESIDUA_INLINE int32_t Load(uint8_t value) { return value; }

// To the same kind of type: float to a floating-point type, int32 (wrapping) to an integer.
template <class T>
RESIDUA_INLINE T Store(ComputeType<T> value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return ToBFloat16(value);
  } else if constexpr (std::is_same_v<T, Float16>) {
    return ToFloat16(value);
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace residua::cpu
