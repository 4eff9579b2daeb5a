// Launches of kernels: their checks, the loops over blocks and threads, and what a thread may ask for.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cuda_emulation/block.h"
#include "cuda_emulation/emulated_kernels.h"
#include "cuda_emulation/errors.h"
#include "cuda_emulation/memory.h"
#include "cuda_emulation/streams.h"

__thread uint3 threadIdx;
__thread uint3 blockIdx;
__thread uint3 blockDim;
__thread uint3 gridDim;

namespace residua::cuda_emulation {
namespace {

constexpr size_t kUsualSharedBytes = 48 << 10;
constexpr size_t kMostSharedBytes = 227 << 10;

// What cudaFuncSetAttribute allowed each kernel.
struct SharedLimits {
  std::mutex mutex;
  std::map<const void*, size_t> bytes;
};

SharedLimits& Limits() {
  static auto* limits = new SharedLimits;  // never destroyed: threads may launch until the process ends
  return *limits;
}

size_t SharedLimitOf(const void* function) {
  SharedLimits& limits = Limits();
  const std::lock_guard<std::mutex> lock(limits.mutex);
  const auto found = limits.bytes.find(function);
  return found == limits.bytes.end() ? kUsualSharedBytes : found->second;
}

// The limits of compute capability 9.0.
cudaError_t CheckLaunch(const Launch& launch) {
  const dim3 &blocks = launch.blocks, &threads = launch.threads;
  const bool fits_grid = blocks.x >= 1 && blocks.x <= 0x7fffffffu && blocks.y >= 1 && blocks.y <= 65535 &&
                         blocks.z >= 1 && blocks.z <= 65535;
  const bool fits_block = threads.x >= 1 && threads.x <= 1024 && threads.y >= 1 && threads.y <= 1024 &&
                          threads.z >= 1 && threads.z <= 64 && threads.x * threads.y * threads.z <= 1024;
  if (!fits_grid || !fits_block) return cudaErrorInvalidConfiguration;
  return launch.shared_bytes > SharedLimitOf(launch.function) ? cudaErrorInvalidValue : cudaSuccess;
}

std::string Describe(const Launch& launch, size_t argument, const char* fault) {
  char text[512];
  std::snprintf(text, sizeof(text), "kernel %s (launched at %s:%d): pointer argument %zu %s", launch.kernel,
                launch.file, launch.line, argument, fault);
  return text;
}

// Whether the device may follow the pointers; if not the device is lost. A pointer to the end of an allocation is fine:
// it may stand for no elements.
bool CheckPointers(const Launch& launch, const std::vector<PointerArgument>& pointers) {
  for (size_t i = 0; i < pointers.size(); ++i) {
    const void* pointer = pointers[i].pointer;
    if (pointer == nullptr) continue;
    if (!IsReachable(pointer, 0)) {
      LoseDevice(cudaErrorIllegalAddress,
                 Describe(launch, i, "is neither device memory nor pinned, or was freed").c_str());
      return false;
    }
    if (reinterpret_cast<uintptr_t>(pointer) % pointers[i].alignment != 0) {
      LoseDevice(cudaErrorMisalignedAddress, Describe(launch, i, "is not aligned as its type must be").c_str());
      return false;
    }
  }
  return true;
}

template <class RunBlock>
void ForEachBlock(const dim3& blocks, const RunBlock& run) {
  for (unsigned z = 0; z < blocks.z; ++z) {
    for (unsigned y = 0; y < blocks.y; ++y) {
      for (unsigned x = 0; x < blocks.x; ++x) run(uint3{x, y, z});
    }
  }
}

void RunIndependent(const Launch& launch, const std::function<void()>& thread) {
  const dim3 threads = launch.threads;
  ForEachBlock(launch.blocks, [&](uint3 block) {
    blockIdx = block;
    for (unsigned z = 0; z < threads.z; ++z) {
      for (unsigned y = 0; y < threads.y; ++y) {
        for (unsigned x = 0; x < threads.x; ++x) {
          threadIdx = {x, y, z};
          thread();
        }
      }
    }
  });
}

void RunCooperative(const Launch& launch, const std::function<void()>& thread) {
  Block block(launch, thread);
  SetCurrentBlock(&block);
  ForEachBlock(launch.blocks, [&](uint3 index) { block.Run(index); });
  SetCurrentBlock(nullptr);
}

void RunKernel(const Launch& launch, const std::vector<PointerArgument>& pointers,
               const std::function<void()>& thread) {
  if (!CheckPointers(launch, pointers)) return;
  gridDim = launch.blocks;
  blockDim = launch.threads;
  if (launch.cooperative) {
    RunCooperative(launch, thread);
  } else {
    RunIndependent(launch, thread);
  }
}

// The block of the thread that runs, for a call that only cooperative kernels may make.
Block& CooperativeBlock(const char* what, const char* file, int line) {
  Block* block = CurrentBlock();
  if (block != nullptr) return *block;
  std::fprintf(stderr,
               "cuda emulation: %s at %s:%d, but the kernel was not launched with RESIDUA_LAUNCH_COOPERATIVE.\n", what,
               file, line);
  std::abort();
}

}  // namespace

void EnqueueKernel(const Launch& launch, cudaStream_t stream, std::vector<PointerArgument> pointers,
                   std::function<void()> thread) {
  CallOnStream("cudaLaunchKernel", stream, [&] {
    const cudaError_t status = CheckLaunch(launch);
    if (status != cudaSuccess) return status;
    return Enqueue(stream, [launch, pointers = std::move(pointers), thread = std::move(thread)] {
      RunKernel(launch, pointers, thread);
    });
  });
}

void* DynamicShared() { return CooperativeBlock("dynamic shared memory", "a kernel", 0).shared(); }

void WaitForBlock(const char* file, int line) {
  CooperativeBlock("__syncthreads", file, line).WaitForBlock({file, line});
}

uint64_t ExchangeInWarp(uint64_t bits, unsigned source, const char* file, int line) {
  return CooperativeBlock("a warp shuffle", file, line).ExchangeInWarp(bits, source, {file, line});
}

unsigned CheckedLane(unsigned mask, const char* file, int line) {
  const Block& block = CooperativeBlock("a warp shuffle", file, line);
  if (mask != 0xffffffffu) Die(block.launch(), "the mask at %s:%d is 0x%x, not the whole warp", file, line, mask);
  return block.lane();
}

}  // namespace residua::cuda_emulation

using namespace residua::cuda_emulation;

cudaError_t cudaFuncSetAttribute(const void* func, enum cudaFuncAttribute attr, int value) {
  return Call(__func__, [&] {
    if (func == nullptr) return cudaErrorInvalidDeviceFunction;
    if (attr == cudaFuncAttributePreferredSharedMemoryCarveout) {
      return value >= -1 && value <= 100 ? cudaSuccess : cudaErrorInvalidValue;
    }
    if (attr != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaErrorInvalidValue;
    if (value < 0 || static_cast<size_t>(value) > kMostSharedBytes) return cudaErrorInvalidValue;
    SharedLimits& limits = Limits();
    const std::lock_guard<std::mutex> lock(limits.mutex);
    limits.bytes[func] = static_cast<size_t>(value);
    return cudaSuccess;
  });
}
