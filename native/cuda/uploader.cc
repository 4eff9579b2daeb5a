// Copies from the host to the GPU through pinned memory.
#include "cuda/uploader.h"

#include <algorithm>
#include <cstring>

namespace residua::cuda {

Uploader::Uploader(cudaStream_t compute, std::shared_ptr<CachingAllocator> allocator)
    : compute_(compute), allocator_(std::move(allocator)), stream_(MakeStream()) {}

Uploader::~Uploader() {
  static_cast<void>(cudaStreamSynchronize(stream_.get()));
  static_cast<void>(cudaStreamSynchronize(compute_));
}

void Uploader::Upload(const void* host, size_t bytes, void* to) {
  for (size_t offset = 0; offset < bytes; offset += kMostBuffer) {
    const size_t length = std::min(kMostBuffer, bytes - offset);
    std::unique_ptr<Buffer> buffer = Acquire(length);
    const size_t capacity = buffer->pinned.bytes();
    try {
      Copy(static_cast<const char*>(host) + offset, length, static_cast<char*>(to) + offset, buffer.get());
    } catch (...) {  // the copy may be under way, and nothing tells when it is done: the buffer is not used again
      static_cast<void>(cudaStreamSynchronize(stream_.get()));
      static_cast<void>(cudaStreamSynchronize(compute_));
      held_bytes_ -= capacity;
      throw;
    }
    buffers_[capacity].push_back(std::move(buffer));
  }
}

void Uploader::Copy(const char* host, size_t bytes, char* to, Buffer* buffer) {
  std::memcpy(buffer->pinned.data(), host, bytes);
  if (buffer->landing.data() == nullptr) {
    RESIDUA_CUDA(cudaMemcpyAsync(to, buffer->pinned.data(), bytes, cudaMemcpyHostToDevice, compute_));
    buffer->fetched.Record(compute_);
    return;
  }
  char* landing = buffer->landing.data();
  buffer->taken.MakeWait(stream_.get());
  RESIDUA_CUDA(cudaMemcpyAsync(landing, buffer->pinned.data(), bytes, cudaMemcpyHostToDevice, stream_.get()));
  buffer->fetched.Record(stream_.get());
  buffer->fetched.MakeWait(compute_);
  RESIDUA_CUDA(cudaMemcpyAsync(to, landing, bytes, cudaMemcpyDeviceToDevice, compute_));
  buffer->taken.Record(compute_);
}

// A buffer that the GPU does not read any more: one that is there, a new one, or the first to come free.
std::unique_ptr<Uploader::Buffer> Uploader::Acquire(size_t bytes) {
  size_t capacity = kLeastBuffer;
  while (capacity < bytes) capacity *= 2;
  Buffers& same_size = buffers_[capacity];
  if (same_size.empty() || !same_size.front()->fetched.IsDone()) {
    if (held_bytes_ + capacity <= kMostHeld) return Make(capacity);
    if (same_size.empty()) {
      Trim();
      return Make(capacity);
    }
    same_size.front()->fetched.Wait();
  }
  std::unique_ptr<Buffer> buffer = std::move(same_size.front());
  same_size.pop_front();
  return buffer;
}

std::unique_ptr<Uploader::Buffer> Uploader::Make(size_t capacity) {
  auto buffer = std::make_unique<Buffer>();
  buffer->pinned = PinnedMemory(capacity);
  if (capacity > kRidesAlong) {
    buffer->landing = DeviceMemory(allocator_, capacity);
    buffer->taken.Record(compute_);  // work under way may still use what the memory was before
  }
  held_bytes_ += capacity;
  return buffer;
}

void Uploader::Trim() {
  RESIDUA_CUDA(cudaStreamSynchronize(stream_.get()));
  RESIDUA_CUDA(cudaStreamSynchronize(compute_));
  buffers_.clear();
  held_bytes_ = 0;
}

}  // namespace residua::cuda
