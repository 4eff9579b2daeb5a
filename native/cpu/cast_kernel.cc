// Conversion of a run of elements between any two of the five types.
#include "cpu/cast_kernel.h"

#include <algorithm>
#include <cstring>

#include "cpu/element.h"
#include "cpu/parallel_for.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 32768;  // elements a thread gets at least

constexpr float kInt32Above = 2147483648.0f;  // the first float above int32's range; minus it is the lowest within

RESIDUA_INLINE int32_t TruncateToInt32(float value) {
  const bool fits = value >= -kInt32Above && value < kInt32Above;
  const int32_t truncated = static_cast<int32_t>(fits ? value : 0.0f);
  const int32_t limit = value >= kInt32Above ? INT32_MAX : (value < -kInt32Above ? INT32_MIN : 0);
  return fits ? truncated : limit;
}

RESIDUA_INLINE uint8_t TruncateToUInt8(float value) {
  const float positive = value > 0.0f ? value : 0.0f;  // also takes NaN to 0
  return static_cast<uint8_t>(static_cast<int32_t>(positive < 255.0f ? positive : 255.0f));
}

template <class To, class C>
RESIDUA_INLINE To Convert(C value) {
  if constexpr (std::is_same_v<To, int32_t> && std::is_same_v<C, float>) {
    return TruncateToInt32(value);
  } else if constexpr (std::is_same_v<To, uint8_t> && std::is_same_v<C, float>) {
    return TruncateToUInt8(value);
  } else if constexpr (std::is_same_v<To, uint8_t>) {
    return static_cast<uint8_t>(std::clamp<int32_t>(value, 0, 255));
  } else {
    return Store<To>(static_cast<ComputeType<To>>(value));
  }
}

template <class From, class To>
RESIDUA_INLINE void CastLoop(const From* __restrict from, To* __restrict to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = Convert<To>(Load(from[i]));
}

// The pairs that mixed precision and image input go through get vector code for the machine at hand.
RESIDUA_SIMD void FloatToBFloat16(const float* from, BFloat16* to, int64_t count) { CastLoop(from, to, count); }
RESIDUA_SIMD void BFloat16ToFloat(const BFloat16* from, float* to, int64_t count) { CastLoop(from, to, count); }
RESIDUA_SIMD void BytesToFloat(const uint8_t* from, float* to, int64_t count) { CastLoop(from, to, count); }

template <class From, class To>
void CastRun(const From* from, To* to, int64_t count) {
  if constexpr (std::is_same_v<From, To>) {
    std::memcpy(to, from, static_cast<size_t>(count) * sizeof(To));
  } else if constexpr (std::is_same_v<From, float> && std::is_same_v<To, BFloat16>) {
    FloatToBFloat16(from, to, count);
  } else if constexpr (std::is_same_v<From, BFloat16> && std::is_same_v<To, float>) {
    BFloat16ToFloat(from, to, count);
  } else if constexpr (std::is_same_v<From, uint8_t> && std::is_same_v<To, float>) {
    BytesToFloat(from, to, count);
  } else {
    CastLoop(from, to, count);
  }
}

}  // namespace

void CastElements(DType from_type, const void* from_bytes, DType to_type, void* to_bytes, int64_t count) {
  DispatchType(from_type, [&](auto from_tag) {
    DispatchType(to_type, [&](auto to_tag) {
      const auto* from = static_cast<const typename decltype(from_tag)::Type*>(from_bytes);
      auto* to = static_cast<typename decltype(to_tag)::Type*>(to_bytes);
      ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) { CastRun(from + begin, to + begin, end - begin); });
    });
  });
}

}  // namespace residua::cpu
