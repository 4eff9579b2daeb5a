// Kernel launches of the emulation; the counterpart of the real ones in cuda/launch.h. A launch copies the arguments
// and queues the kernel; when the stream runs it, its blocks run one after another. The threads of a block run one
// after another too (RESIDUA_LAUNCH), or as fibers that meet at barriers and shuffles (RESIDUA_LAUNCH_COOPERATIVE).
#pragma once
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "cuda_runtime.h"

namespace residua::cuda_emulation {

struct Launch {
  const char* kernel;  // for messages, as the next two
  const char* file;
  int line;
  dim3 blocks, threads;
  bool cooperative = false;
  size_t shared_bytes = 0;
  const void* function = nullptr;
};

// An argument that is a pointer, and how it must be aligned.
struct PointerArgument {
  const void* pointer;
  size_t alignment;
};

// Queues `thread`, to be run once for each thread of the grid. An impossible launch shows in cudaGetLastError.
void EnqueueKernel(const Launch& launch, cudaStream_t stream, std::vector<PointerArgument> pointers,
                   std::function<void()> thread);

// The block's dynamic shared memory. Only in cooperative kernels.
void* DynamicShared();

template <class T>
constexpr size_t AlignmentOf() {
  if constexpr (std::is_void_v<T>) {
    return 1;
  } else {
    return alignof(T);
  }
}

template <class T>
void NotePointer(const T& argument, std::vector<PointerArgument>* pointers) {
  if constexpr (std::is_pointer_v<T>) {
    pointers->push_back({argument, AlignmentOf<std::remove_pointer_t<T>>()});
  }
}

template <class... Parameters, class... Arguments>
void LaunchKernel(Launch launch, cudaStream_t stream, void (*kernel)(Parameters...), const Arguments&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "a kernel wants as many arguments as it has parameters");
  const std::tuple<std::decay_t<Parameters>...> values(arguments...);
  std::vector<PointerArgument> pointers;
  std::apply([&](const auto&... value) { (NotePointer(value, &pointers), ...); }, values);
  launch.function = reinterpret_cast<const void*>(kernel);
  EnqueueKernel(launch, stream, std::move(pointers), [kernel, values] { std::apply(kernel, values); });
}

}  // namespace residua::cuda_emulation

#define RESIDUA_LAUNCH(kernel, blocks, threads, stream, ...)                                                      \
  do {                                                                                                            \
    ::residua::cuda_emulation::LaunchKernel({#kernel, __FILE__, __LINE__, dim3(blocks), dim3(threads)}, (stream), \
                                            kernel, __VA_ARGS__);                                                 \
    RESIDUA_CUDA(cudaGetLastError());                                                                             \
  } while (false)

#define RESIDUA_LAUNCH_COOPERATIVE(kernel, blocks, threads, shared_bytes, stream, ...)                                 \
  do {                                                                                                                 \
    ::residua::cuda_emulation::LaunchKernel(                                                                           \
        {#kernel, __FILE__, __LINE__, dim3(blocks), dim3(threads), true, static_cast<size_t>(shared_bytes)}, (stream), \
        kernel, __VA_ARGS__);                                                                                          \
    RESIDUA_CUDA(cudaGetLastError());                                                                                  \
  } while (false)

// One for all threads of a block, which are fibers of one thread; blocks of other streams run on other threads.
#define RESIDUA_SHARED static thread_local
#define RESIDUA_DYNAMIC_SHARED(Type, name) Type* name = static_cast<Type*>(::residua::cuda_emulation::DynamicShared())
