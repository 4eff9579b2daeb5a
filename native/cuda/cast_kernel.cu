// Copies elements, converting between any two of the five types.
#include "cuda/cast_kernel.h"

#include "cuda/element.h"
#include "cuda/grid.h"
#include "cuda/guards.h"

namespace residua::cuda {
namespace {

constexpr float kInt32Above = 2147483648.0f;  // the first float above int32's range; minus it is the lowest within

__device__ inline int32_t TruncateToInt32(float value) {
  if (value >= kInt32Above) return INT32_MAX;
  if (value < -kInt32Above) return INT32_MIN;
  return value == value ? static_cast<int32_t>(value) : 0;
}

__device__ inline uint8_t TruncateToUInt8(float value) {
  if (value >= 255.0f) return 255;
  return value > 0.0f ? static_cast<uint8_t>(static_cast<int32_t>(value)) : 0;  // NaN is not above 0
}

template <class To, class From>
__device__ inline To Convert(From from) {
  const auto value = Load(from);
  if constexpr (std::is_same_v<To, From>) {
    return from;  // every bit, NaN's too
  } else if constexpr (!kIsInteger<To>) {
    return Store<To>(static_cast<float>(value));
  } else if constexpr (kIsInteger<From>) {
    return std::is_same_v<To, int32_t> ? value : value < 0 ? 0 : value > 255 ? 255 : value;
  } else if constexpr (std::is_same_v<To, int32_t>) {
    return TruncateToInt32(value);
  } else {
    return TruncateToUInt8(value);
  }
}

// Elements a thread takes at once: 16 bytes of the larger type.
template <class From, class To>
constexpr int kCastPack = kPackOf<From> < kPackOf<To> ? kPackOf<From> : kPackOf<To>;

template <class From, class To>
__global__ void CastKernel(const From* from, To* to, int64_t count, Guards guards) {
  constexpr int kCount = kCastPack<From, To>;
  if (IsStopped(guards)) return;
  for (int64_t at = GridThread() * kCount; at < count; at += GridThreads() * kCount) {
    if (at + kCount > count) {  // the tail
      for (int64_t i = at; i < count; ++i) to[i] = Convert<To>(from[i]);
      return;
    }
    const Pack<From, kCount> values = LoadPack<kCount>(from + at);
    Pack<To, kCount> converted;
    for (int k = 0; k < kCount; ++k) converted.values[k] = Convert<To>(values.values[k]);
    StorePack(converted, to + at);
  }
}

}  // namespace

void LaunchCast(cudaStream_t stream, DType from_type, const void* from, DType to_type, void* to, int64_t count,
                const LaunchArgs* guards) {
  DispatchType(from_type, [&](auto from_tag) {
    DispatchType(to_type, [&](auto to_tag) {
      using From = typename decltype(from_tag)::Type;
      using To = typename decltype(to_tag)::Type;
      constexpr auto kernel = CastKernel<From, To>;
      constexpr int kCount = kCastPack<From, To>;
      RESIDUA_LAUNCH(kernel, BlocksFor((count + kCount - 1) / kCount), kThreads, stream, static_cast<const From*>(from),
                     static_cast<To*>(to), count, guards ? GuardsOf(*guards) : Guards{});
    });
  });
}

}  // namespace residua::cuda
