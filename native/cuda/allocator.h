// Memory of one GPU. It is taken in segments, kept and reused: cudaMalloc and cudaFree stop the GPU. Reuse follows the
// order of the compute stream: freed memory is given out again at once, because whoever gets it enqueues its work after
// the work that still uses it. Any thread; what another stream reads must not be freed before that is done.
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "core/backend.h"

namespace residua::cuda {

class CachingAllocator : public std::enable_shared_from_this<CachingAllocator> {
 public:
  // `limit`: bytes that may be taken from the GPU; 0: all that is free.
  CachingAllocator(int device, size_t limit) : device_(device), limit_(limit) {}
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // 256-byte aligned, not cleared. Throws Error(kOutOfMemory) when it does not fit even after idle segments went back.
  void* Allocate(size_t bytes);
  void Free(void* memory);

  // As Allocate, counted as a tensor, freed with the last reference (which may outlive the backend).
  std::shared_ptr<Storage> AllocateStorage(size_t bytes);
  // The same, not counted; and storages in it that are.
  std::shared_ptr<Storage> AllocateUncounted(size_t bytes);
  std::shared_ptr<Storage> Lend(std::shared_ptr<Storage> memory);

  // Waits for the GPU, then gives segments of which nothing is in use back to it.
  void Trim();

  MemoryStats Stats() const;
  size_t limit() const { return limit_; }

 private:
  friend class TensorCount;
  // Small and large blocks come from segments of their own, so that long-lived small ones do not break up large memory.
  enum Pool { kSmall, kLarge, kPools };
  struct Block {
    size_t bytes;
    Pool pool;
    bool is_free;
    bool begins_segment;
  };
  using Blocks = std::map<char*, Block>;

  // All of these with the mutex held.
  char* Take(Pool pool, size_t bytes);
  void Split(Blocks::iterator block, size_t bytes);
  Blocks::iterator JoinNext(Blocks::iterator block);
  bool JoinsNext(Blocks::const_iterator block) const;
  void SetFree(Blocks::iterator block, bool is_free);
  bool AddSegment(Pool pool, size_t bytes);
  void Grow(Pool pool, size_t bytes);
  void ReleaseIdleSegments();
  [[noreturn]] void ThrowOutOfMemory(size_t bytes) const;

  const int device_;
  const size_t limit_;
  mutable std::mutex mutex_;
  Blocks blocks_;                                    // by address; a segment's blocks follow one another
  std::set<std::pair<size_t, char*>> free_[kPools];  // by size, then address
  size_t reserved_bytes_ = 0;
  size_t used_bytes_ = 0;  // of blocks in use, rounded sizes
  MemoryStats stats_;      // tensors, bytes, peak_bytes
};

// Memory that goes back to the allocator with its owner.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(std::shared_ptr<CachingAllocator> allocator, size_t bytes)
      : allocator_(std::move(allocator)), data_(allocator_->Allocate(bytes)) {}
  DeviceMemory(DeviceMemory&& other) noexcept
      : allocator_(std::move(other.allocator_)), data_(std::exchange(other.data_, nullptr)) {}
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(allocator_, other.allocator_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~DeviceMemory() {
    if (data_ != nullptr) allocator_->Free(data_);
  }
  char* data() const { return static_cast<char*>(data_); }

 private:
  std::shared_ptr<CachingAllocator> allocator_;
  void* data_ = nullptr;
};

}  // namespace residua::cuda
