// The device's memory, pinned memory, and the run-time API's allocations. New and freed memory is filled with bytes
// that are NaN in every floating-point type, so that reading what nobody wrote shows.
#include "cuda_emulation/memory.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "cuda_emulation/settings.h"
#include "cuda_emulation/streams.h"

namespace residua::cuda_emulation {
namespace {

constexpr size_t kAlignment = 256;
constexpr unsigned char kUnsetByte = 0xFF;
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kGuard = 0;  // AddressSanitizer watches the bounds
#else
constexpr size_t kGuard = 256;  // bytes behind each allocation that must stay as they are
#endif
constexpr unsigned char kGuardByte = 0xA5;

struct Allocation {
  size_t bytes;
  MemoryKind kind;
};

struct Allocations {
  std::mutex mutex;
  std::map<uintptr_t, Allocation> live;
  size_t device_bytes = 0;
};

Allocations& All() {
  static auto* all = new Allocations;  // never destroyed: threads may call until the process ends
  return *all;
}

// The allocation that [address, address + bytes) lies in, or null. Under the lock.
const std::pair<const uintptr_t, Allocation>* Find(const Allocations& all, uintptr_t address, size_t bytes) {
  auto after = all.live.upper_bound(address);
  if (after == all.live.begin()) return nullptr;
  const auto& entry = *--after;
  const size_t offset = address - entry.first;
  const bool is_inside = offset <= entry.second.bytes && bytes <= entry.second.bytes - offset;
  return is_inside ? &entry : nullptr;
}

cudaError_t Allocate(MemoryKind kind, size_t bytes, void** pointer) {
  if (pointer == nullptr) return cudaErrorInvalidValue;
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  Allocations& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const size_t limit = DeviceMemory();
  if (kind == MemoryKind::kDevice && (bytes > limit || all.device_bytes > limit - bytes)) {
    return cudaErrorMemoryAllocation;
  }
  const size_t rounded = (bytes + kGuard + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = rounded < bytes ? nullptr : std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) return cudaErrorMemoryAllocation;
  std::memset(memory, kUnsetByte, bytes);
  std::memset(static_cast<char*>(memory) + bytes, kGuardByte, kGuard);
  all.live[reinterpret_cast<uintptr_t>(memory)] = {bytes, kind};
  if (kind == MemoryKind::kDevice) all.device_bytes += bytes;
  *pointer = memory;
  return cudaSuccess;
}

void CheckGuard(const void* memory, size_t bytes) {
  const auto* guard = static_cast<const unsigned char*>(memory) + bytes;
  for (size_t i = 0; i < kGuard; ++i) {
    if (guard[i] == kGuardByte) continue;
    std::fprintf(stderr, "cuda emulation: something wrote %zu bytes past the end of an allocation of %zu bytes.\n", i,
                 bytes);
    std::abort();
  }
}

cudaError_t Free(MemoryKind kind, void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  Allocations& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.live.find(reinterpret_cast<uintptr_t>(pointer));
  if (found == all.live.end() || found->second.kind != kind) return cudaErrorInvalidValue;
  const size_t bytes = found->second.bytes;
  CheckGuard(pointer, bytes);
  std::memset(pointer, kUnsetByte, bytes);
  if (kind == MemoryKind::kDevice) all.device_bytes -= bytes;
  all.live.erase(found);
  std::free(pointer);
  return cudaSuccess;
}

// As Call, for functions that a capture would not see.
template <class Body>
cudaError_t UnsafeCall(const char* function, const Body& body) {
  return Call(function, [&] {
    const cudaError_t status = CheckUnsafeCall();
    return status != cudaSuccess ? status : body();
  });
}

}  // namespace

MemoryKind KindOf(const void* pointer) {
  Allocations& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto* entry = Find(all, reinterpret_cast<uintptr_t>(pointer), 0);
  return entry == nullptr ? MemoryKind::kPageable : entry->second.kind;
}

bool IsWithin(MemoryKind kind, const void* pointer, size_t bytes) {
  Allocations& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto* entry = Find(all, reinterpret_cast<uintptr_t>(pointer), bytes);
  return entry != nullptr && entry->second.kind == kind;
}

bool IsReachable(const void* pointer, size_t bytes) {
  Allocations& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return Find(all, reinterpret_cast<uintptr_t>(pointer), bytes) != nullptr;
}

}  // namespace residua::cuda_emulation

using namespace residua::cuda_emulation;

cudaError_t cudaMalloc(void** devPtr, size_t size) {
  return UnsafeCall(__func__, [&] { return Allocate(MemoryKind::kDevice, size, devPtr); });
}

// Waits for all work, as drivers do before they unmap memory.
cudaError_t cudaFree(void* devPtr) {
  return UnsafeCall(__func__, [&] {
    RunAllStreams();
    return Free(MemoryKind::kDevice, devPtr);
  });
}

cudaError_t cudaMallocHost(void** ptr, size_t size) {
  return UnsafeCall(__func__, [&] { return Allocate(MemoryKind::kPinned, size, ptr); });
}

cudaError_t cudaHostAlloc(void** pHost, size_t size, unsigned int flags) {
  return UnsafeCall(__func__, [&] {
    const unsigned known = cudaHostAllocPortable | cudaHostAllocMapped | cudaHostAllocWriteCombined;
    if ((flags & ~known) != 0) return cudaErrorInvalidValue;
    return Allocate(MemoryKind::kPinned, size, pHost);
  });
}

// Does not wait: queued work that uses the memory then loses the device.
cudaError_t cudaFreeHost(void* ptr) {
  return UnsafeCall(__func__, [&] { return Free(MemoryKind::kPinned, ptr); });
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return Call(__func__, [&] {
    if (free == nullptr || total == nullptr) return cudaErrorInvalidValue;
    Allocations& all = All();
    const std::lock_guard<std::mutex> lock(all.mutex);
    *total = DeviceMemory();
    *free = *total > all.device_bytes ? *total - all.device_bytes : 0;
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes* attributes, const void* ptr) {
  return Call(__func__, [&] {
    if (attributes == nullptr || ptr == nullptr) return cudaErrorInvalidValue;
    void* pointer = const_cast<void*>(ptr);
    switch (KindOf(ptr)) {
      case MemoryKind::kDevice:
        *attributes = {cudaMemoryTypeDevice, 0, pointer, nullptr};
        break;
      case MemoryKind::kPinned:
        *attributes = {cudaMemoryTypeHost, 0, pointer, pointer};
        break;
      case MemoryKind::kPageable:
        *attributes = {cudaMemoryTypeUnregistered, -2, nullptr, pointer};
        break;
    }
    return cudaSuccess;
  });
}
