// Memory of the CPU backend. It is kept and reused: the first touch of a page costs more than computing on it. Used
// from one thread (the one that enqueues work), in stream order: freed memory is given out again at once, because
// whoever gets it enqueues its work after the work that still uses it.
#pragma once
#include <functional>
#include <memory>

#include "core/backend.h"
#include "cpu/block_pool.h"

namespace residua::cpu {

class CachingAllocator : public std::enable_shared_from_this<CachingAllocator> {
 public:
  // `wait_for_work` returns when all work enqueued so far is done.
  explicit CachingAllocator(std::function<void()> wait_for_work);
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // 64-byte aligned, not cleared. Throws Error(kOutOfMemory) before the system would have to kill the process.
  void* Allocate(size_t bytes);
  void Free(void* memory);

  // As Allocate, counted as a tensor, freed with the last reference (which may outlive the backend).
  std::shared_ptr<Storage> AllocateStorage(size_t bytes);

  // Waits for the work, then gives free memory back to the system.
  void Trim();
  // The backend ends: nothing is left to wait for.
  void Detach() { wait_for_work_ = nullptr; }

  MemoryStats Stats() const;

 private:
  friend class CpuStorage;
  char* Take(size_t bytes);
  void Grow(size_t bytes);
  void EnsureRoomFor(size_t bytes);
  size_t AvailableBytes() const;
  [[noreturn]] void ThrowOutOfMemory(size_t bytes, size_t available) const;

  std::function<void()> wait_for_work_;
  // One reserved range of addresses; [base_, top_) is in use by the two pools.
  char* reservation_ = nullptr;
  size_t reservation_bytes_ = 0;
  char *base_ = nullptr, *top_ = nullptr, *end_ = nullptr;
  BlockPool large_{4096};
  BlockPool small_{64};  // in chunks taken from large_, so that small long-lived tensors do not break up large memory
  size_t returned_bytes_ = 0;  // of free memory, by Trim, that has not been asked back yet
  MemoryStats stats_;          // tensors, bytes, peak_bytes
};

}  // namespace residua::cpu
