// Included first by every .cu file: how kernels are launched. nvcc compiles them for the GPU; the emulation compiles
// the same files with g++ as host code (cuda_emulation/emulated_kernels.h).
//
// Rules that keep both builds working: launch through the macros below, never with <<<>>>; no __constant__ or
// __device__ variables; shared memory only through RESIDUA_SHARED and RESIDUA_DYNAMIC_SHARED; warps have 32 lanes and
// every lane takes part in a shuffle; blocks are one-dimensional and of a multiple of 32 threads.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <type_traits>

#include "core/dtype.h"
#include "cuda/check.h"

#ifdef RESIDUA_CUDA_EMULATION
#include "cuda_emulation/emulated_kernels.h"
#else

// RESIDUA_LAUNCH(kernel, blocks, threads, stream, arguments...): for kernels whose threads do not talk to each other.
// A kernel template with several arguments needs a name first: constexpr auto kernel = Kernel<A, B>;
#define RESIDUA_LAUNCH(kernel, blocks, threads, stream, ...)   \
  do {                                                         \
    kernel<<<(blocks), (threads), 0, (stream)>>>(__VA_ARGS__); \
    RESIDUA_CUDA(cudaGetLastError());                          \
  } while (false)

// The same for kernels that use __syncthreads, warp shuffles or shared memory (`shared_bytes` of the dynamic one).
#define RESIDUA_LAUNCH_COOPERATIVE(kernel, blocks, threads, shared_bytes, stream, ...) \
  do {                                                                                 \
    kernel<<<(blocks), (threads), (shared_bytes), (stream)>>>(__VA_ARGS__);            \
    RESIDUA_CUDA(cudaGetLastError());                                                  \
  } while (false)

#define RESIDUA_SHARED __shared__
#define RESIDUA_DYNAMIC_SHARED(Type, name)                                \
  extern __shared__ __align__(16) unsigned char residua_dynamic_shared[]; \
  Type* name = reinterpret_cast<Type*>(residua_dynamic_shared)

#endif

namespace residua::cuda {

constexpr int kThreads = 256;

// Blocks of kThreads for `count` elements, one a thread, at most `most` (kernels then stride by the whole grid).
inline int BlocksFor(int64_t count, int64_t most = 65535) {
  const int64_t blocks = (count + kThreads - 1) / kThreads;
  return static_cast<int>(blocks < 1 ? 1 : blocks > most ? most : blocks);
}

// Values are computed in float, whatever type they are stored in.
__device__ inline float ToFloat(float value) { return value; }
__device__ inline float ToFloat(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline float ToFloat(__half value) { return __half2float(value); }
__device__ inline float ToFloat(int32_t value) { return static_cast<float>(value); }
__device__ inline float ToFloat(uint8_t value) { return static_cast<float>(value); }
template <class T>
__device__ inline T FromFloat(float value) {
  if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __float2bfloat16(value);
  } else if constexpr (std::is_same_v<T, __half>) {
    return __float2half(value);
  } else {
    return static_cast<T>(value);
  }
}

// Calls body(tag) with a tag whose Type is the C++ type of `dtype`.
template <class T>
struct TypeTag {
  using Type = T;
};
template <class Body>
void DispatchFloat(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kFloat32:
      return body(TypeTag<float>{});
    case DType::kBFloat16:
      return body(TypeTag<__nv_bfloat16>{});
    case DType::kFloat16:
      return body(TypeTag<__half>{});
    default:
      throw Error(ErrorCode::kDType, std::string("A kernel expected a floating-point type, got ") + Name(dtype) + ".");
  }
}
template <class Body>
void DispatchType(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kInt32:
      return body(TypeTag<int32_t>{});
    case DType::kUInt8:
      return body(TypeTag<uint8_t>{});
    default:
      return DispatchFloat(dtype, body);
  }
}

}  // namespace residua::cuda
