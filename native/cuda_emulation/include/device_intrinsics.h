// What CUDA C++ adds to C++ for kernels, as host code: specifiers, thread indices, barriers, warp shuffles, atomics and
// arithmetic intrinsics. Barriers and shuffles work only in kernels launched with RESIDUA_LAUNCH_COOPERATIVE.
// __shared__, __constant__ and __device__ variables are left out on purpose (cuda/launch.h says what to use).
#pragma once
#include <cstdint>
#include <cstring>

#include "device_math.h"
#include "vector_types.h"

#define __host__
#define __device__
#define __global__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __grid_constant__
#pragma GCC diagnostic ignored "-Wunknown-pragmas"  // #pragma unroll

// Of the thread that runs; set by kernels.cc.
extern __thread uint3 threadIdx;
extern __thread uint3 blockIdx;
extern __thread uint3 blockDim;
extern __thread uint3 gridDim;
constexpr int warpSize = 32;

namespace residua::cuda_emulation {

// Returns when every thread of the block has come to the barrier of this `file` and `line`; aborts where one cannot.
void WaitForBlock(const char* file, int line);

// Gives `bits` to the warp and returns the bits that lane `source` gave. Every lane must call it, from the same place.
uint64_t ExchangeInWarp(uint64_t bits, unsigned source, const char* file, int line);

// The lane of the thread that runs, after checking that `mask` names the whole warp.
unsigned CheckedLane(unsigned mask, const char* file, int line);

template <class T>
T Shuffle(T value, unsigned source, const char* file, int line) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(value));
  bits = ExchangeInWarp(bits, source, file, line);
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// *address = change(*address) in one step; the value before.
template <class T, class Change>
T AtomicUpdate(T* address, const Change& change) {
  T before = *address;
  T after = change(before);
  while (!__atomic_compare_exchange(address, &before, &after, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    after = change(before);
  }
  return before;
}

}  // namespace residua::cuda_emulation

// ---- barriers and warps. The defaulted arguments say where the call stands.
#define RESIDUA_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(RESIDUA_HERE) { residua::cuda_emulation::WaitForBlock(file, line); }
inline void __syncwarp(unsigned mask = 0xffffffffu, RESIDUA_HERE) {
  residua::cuda_emulation::ExchangeInWarp(0, residua::cuda_emulation::CheckedLane(mask, file, line), file, line);
}
inline void __threadfence() {}
inline void __threadfence_block() {}

// `width` lanes (a power of two) make a group; a source outside the group is the lane itself.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, RESIDUA_HERE) {
  const unsigned lane = residua::cuda_emulation::CheckedLane(mask, file, line);
  const unsigned group = lane & ~(static_cast<unsigned>(width) - 1);
  return residua::cuda_emulation::Shuffle(value, group | (static_cast<unsigned>(source) & (width - 1)), file, line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, RESIDUA_HERE) {
  const unsigned lane = residua::cuda_emulation::CheckedLane(mask, file, line);
  const unsigned place = lane & (static_cast<unsigned>(width) - 1);
  return residua::cuda_emulation::Shuffle(value, place >= delta ? lane - delta : lane, file, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, RESIDUA_HERE) {
  const unsigned lane = residua::cuda_emulation::CheckedLane(mask, file, line);
  const unsigned place = lane & (static_cast<unsigned>(width) - 1);
  const bool inside = place + delta < static_cast<unsigned>(width);
  return residua::cuda_emulation::Shuffle(value, inside ? lane + delta : lane, file, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warpSize, RESIDUA_HERE) {
  const unsigned lane = residua::cuda_emulation::CheckedLane(mask, file, line);
  const unsigned source = lane ^ static_cast<unsigned>(lane_mask);
  const bool inside = source < (lane & ~(static_cast<unsigned>(width) - 1)) + width;
  return residua::cuda_emulation::Shuffle(value, inside ? source : lane, file, line);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, RESIDUA_HERE) {
  const unsigned lane = residua::cuda_emulation::CheckedLane(mask, file, line);
  unsigned votes = (predicate != 0 ? 1u : 0u) << lane;
  for (unsigned distance = 16; distance > 0; distance /= 2) {
    votes |= residua::cuda_emulation::Shuffle(votes, lane ^ distance, file, line);
  }
  return votes;
}
inline int __any_sync(unsigned mask, int predicate, RESIDUA_HERE) {
  return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, RESIDUA_HERE) {
  return __ballot_sync(mask, predicate, file, line) == 0xffffffffu;
}
#undef RESIDUA_HERE

// ---- memory
template <class T>
inline T __ldg(const T* address) {
  return *address;
}

#define RESIDUA_ATOMICS(T)                                                                                     \
  inline T atomicAdd(T* address, T value) {                                                                    \
    return residua::cuda_emulation::AtomicUpdate(address, [=](T old) { return static_cast<T>(old + value); }); \
  }                                                                                                            \
  inline T atomicExch(T* address, T value) {                                                                   \
    return residua::cuda_emulation::AtomicUpdate(address, [=](T) { return value; });                           \
  }
#define RESIDUA_INTEGER_ATOMICS(T)                                                                              \
  inline T atomicMax(T* address, T value) {                                                                     \
    return residua::cuda_emulation::AtomicUpdate(address, [=](T old) { return old > value ? old : value; });    \
  }                                                                                                             \
  inline T atomicMin(T* address, T value) {                                                                     \
    return residua::cuda_emulation::AtomicUpdate(address, [=](T old) { return old < value ? old : value; });    \
  }                                                                                                             \
  inline T atomicOr(T* address, T value) {                                                                      \
    return residua::cuda_emulation::AtomicUpdate(address, [=](T old) { return static_cast<T>(old | value); });  \
  }                                                                                                             \
  inline T atomicAnd(T* address, T value) {                                                                     \
    return residua::cuda_emulation::AtomicUpdate(address, [=](T old) { return static_cast<T>(old & value); });  \
  }                                                                                                             \
  inline T atomicCAS(T* address, T compare, T value) {                                                          \
    return residua::cuda_emulation::AtomicUpdate(address, [=](T old) { return old == compare ? value : old; }); \
  }
RESIDUA_ATOMICS(int)
RESIDUA_ATOMICS(unsigned int)
RESIDUA_ATOMICS(unsigned long long)
RESIDUA_ATOMICS(float)
inline double atomicAdd(double* address, double value) {
  return residua::cuda_emulation::AtomicUpdate(address, [=](double old) { return old + value; });
}
RESIDUA_INTEGER_ATOMICS(int)
RESIDUA_INTEGER_ATOMICS(unsigned int)
RESIDUA_INTEGER_ATOMICS(unsigned long long)
#undef RESIDUA_ATOMICS
#undef RESIDUA_INTEGER_ATOMICS
