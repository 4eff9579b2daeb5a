// Copies from the host to the GPU. The values are first put into pinned memory, so that the caller may go on and the
// GPU fetches them by itself: small ones as part of the compute stream; large ones on a stream of their own, beside the
// computing, into landing memory from which the compute stream takes them.
#pragma once
#include <deque>
#include <map>
#include <memory>

#include "cuda/allocator.h"
#include "cuda/owned.h"

namespace residua::cuda {

// Used on one thread.
class Uploader {
 public:
  Uploader(cudaStream_t compute, std::shared_ptr<CachingAllocator> allocator);
  // Waits for the copies under way.
  ~Uploader();

  // `host` is read before it returns; `to` changes in the order of the compute stream.
  void Upload(const void* host, size_t bytes, void* to);

  // Gives staging memory back.
  void Trim();

 private:
  static constexpr size_t kRidesAlong = size_t{64} << 10;  // up to here the compute stream copies
  static constexpr size_t kLeastBuffer = size_t{4} << 10;
  static constexpr size_t kMostBuffer = size_t{16} << 20;  // larger uploads go in pieces
  static constexpr size_t kMostHeld = 6 * kMostBuffer;

  struct Buffer {
    PinnedMemory pinned;
    DeviceMemory landing;  // none where the compute stream copies
    Event fetched;         // the GPU has read `pinned`
    Event taken;           // the compute stream has read `landing`
  };
  using Buffers = std::deque<std::unique_ptr<Buffer>>;  // the longest in use first

  std::unique_ptr<Buffer> Acquire(size_t bytes);
  std::unique_ptr<Buffer> Make(size_t capacity);
  void Copy(const char* host, size_t bytes, char* to, Buffer* buffer);

  cudaStream_t compute_;
  std::shared_ptr<CachingAllocator> allocator_;
  Stream stream_;
  std::map<size_t, Buffers> buffers_;  // by capacity, powers of two
  size_t held_bytes_ = 0;
};

}  // namespace residua::cuda
