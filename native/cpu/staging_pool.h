// Host buffers between the caller and the execution thread: uploads are copied in by one and out by the other. Reused.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace residua::cpu {

class StagingPool {
 public:
  static constexpr size_t kMaxBuffer = size_t{32} << 20;  // larger uploads go in pieces

  // A buffer of at least `bytes` (at most kMaxBuffer). Waits while kMaxInUse bytes are in use. Throws
  // Error(kOutOfMemory).
  uint8_t* Acquire(size_t bytes);
  void Release(uint8_t* buffer);  // any thread
  // Frees the buffers that nobody uses.
  void Trim();

 private:
  static constexpr size_t kMaxInUse = 3 * kMaxBuffer;
  struct Buffer {
    std::unique_ptr<uint8_t[]> memory;
    size_t capacity;
    bool in_use;
  };
  Buffer* SmallestFree(size_t bytes);
  size_t BytesInUse() const;
  void DropUnused();

  std::mutex mutex_;
  std::condition_variable released_;
  std::vector<Buffer> buffers_;
};

}  // namespace residua::cpu
