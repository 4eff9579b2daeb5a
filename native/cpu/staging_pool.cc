// Host buffers for uploads, reused.
#include "cpu/staging_pool.h"

#include <algorithm>
#include <new>
#include <string>

#include "core/error.h"

namespace residua::cpu {

uint8_t* StagingPool::Acquire(size_t bytes) {
  std::unique_lock<std::mutex> lock(mutex_);
  released_.wait(lock, [&] { return BytesInUse() == 0 || BytesInUse() + bytes <= kMaxInUse; });
  if (Buffer* buffer = SmallestFree(bytes)) {
    buffer->in_use = true;
    return buffer->memory.get();
  }
  DropUnused();  // too small, all of them
  std::unique_ptr<uint8_t[]> memory(new (std::nothrow) uint8_t[bytes]);
  if (!memory) {
    throw Error(ErrorCode::kOutOfMemory,
                "Out of memory: no buffer of " + std::to_string(bytes) + " bytes for an upload.",
                {{"bytesAsked", std::to_string(bytes)}, {"bytesFree", "0"}});
  }
  buffers_.push_back({std::move(memory), bytes, true});
  return buffers_.back().memory.get();
}

void StagingPool::Release(uint8_t* buffer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (Buffer& each : buffers_) {
      if (each.memory.get() == buffer) each.in_use = false;
    }
  }
  released_.notify_one();
}

void StagingPool::Trim() {
  const std::lock_guard<std::mutex> lock(mutex_);
  DropUnused();
}

StagingPool::Buffer* StagingPool::SmallestFree(size_t bytes) {
  Buffer* best = nullptr;
  for (Buffer& buffer : buffers_) {
    if (!buffer.in_use && buffer.capacity >= bytes && (!best || buffer.capacity < best->capacity)) best = &buffer;
  }
  return best;
}

size_t StagingPool::BytesInUse() const {
  size_t bytes = 0;
  for (const Buffer& buffer : buffers_) bytes += buffer.in_use ? buffer.capacity : 0;
  return bytes;
}

void StagingPool::DropUnused() {
  buffers_.erase(std::remove_if(buffers_.begin(), buffers_.end(), [](const Buffer& buffer) { return !buffer.in_use; }),
                 buffers_.end());
}

}  // namespace residua::cpu
