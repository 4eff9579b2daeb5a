// Where a thread stands in its grid, and what the lanes of a warp compute together. For .cu files, after launch.h.
#pragma once
#include "cuda/launch.h"

namespace residua::cuda {

constexpr int kLanes = 32;  // of a warp

// Kernels that stride by the whole grid: for (i = GridThread(); i < count; i += GridThreads()).
__device__ inline int64_t GridThread() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline int64_t GridThreads() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }
__device__ inline int64_t GridWarp() { return GridThread() / kLanes; }
__device__ inline int64_t GridWarps() { return GridThreads() / kLanes; }
__device__ inline int Lane() { return static_cast<int>(threadIdx.x) % kLanes; }

// The value of the lane whose number differs in the bits of `mask`. Every lane of the warp takes part, here and below.
template <class T>
__device__ inline T OtherLane(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}

// Sums in a fixed order, and maxima, over the warp: every lane gets the result.
template <class T>
__device__ inline T WarpSum(T value) {
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value += OtherLane(value, mask);
  return value;
}
__device__ inline float WarpMax(float value) {
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value = fmaxf(value, OtherLane(value, mask));
  return value;
}

// a / b for values that are not negative: 32-bit division where it suffices, a fraction of the cost.
__device__ inline int64_t Quotient(int64_t a, int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
  return a / b;
}

}  // namespace residua::cuda
