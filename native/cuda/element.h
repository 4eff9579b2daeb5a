// Elements as they are computed with: floats in float, integers in int32, which wraps. For .cu files, after launch.h.
#pragma once
#include "cuda/launch.h"

namespace residua::cuda {

template <class T>
constexpr bool kIsInteger = std::is_integral_v<T>;

template <class T>
using ComputeType = std::conditional_t<kIsInteger<T>, int32_t, float>;

template <class T>
__device__ inline ComputeType<T> Load(T value) {
  if constexpr (kIsInteger<T>) {
    return value;
  } else {
    return ToFloat(value);
  }
}

template <class T>
__device__ inline T Store(ComputeType<T> value) {
  if constexpr (kIsInteger<T>) {
    return static_cast<T>(value);
  } else {
    return FromFloat<T>(value);
  }
}

// `kCount` neighbours that are read and written at once. An array of packs starts where a storage starts, which is
// aligned to more.
template <class T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T values[kCount];
};

// Elements of type T in the 16 bytes that a thread reads best at once.
template <class T>
constexpr int kPackOf = 16 / static_cast<int>(sizeof(T));

template <int kCount, class T>
__device__ inline Pack<T, kCount> LoadPack(const T* from) {
  return *reinterpret_cast<const Pack<T, kCount>*>(from);
}
template <int kCount, class T>
__device__ inline void StorePack(const Pack<T, kCount>& pack, T* to) {
  *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
}

}  // namespace residua::cuda
