// Handles of CUDA and its libraries that are given back when their owner goes. Streams, events, pinned memory.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

#include "cuda/check.h"

namespace residua::cuda {

// `kRelease` gives the handle back; its status is of no use to anybody, as nothing can be done about it.
template <class Handle, auto kRelease>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_ != nullptr) static_cast<void>(kRelease(handle_));
  }

  Handle get() const { return handle_; }
  Handle* address() { return &handle_; }  // for the function that makes it
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  Handle handle_ = nullptr;
};

using Stream = Owned<cudaStream_t, cudaStreamDestroy>;

// A stream that does not wait for the default stream.
inline Stream MakeStream() {
  Stream stream;
  RESIDUA_CUDA(cudaStreamCreateWithFlags(stream.address(), cudaStreamNonBlocking));
  return stream;
}

// A point in a stream's work.
class Event {
 public:
  Event() { RESIDUA_CUDA(cudaEventCreateWithFlags(event_.address(), cudaEventDisableTiming)); }

  void Record(cudaStream_t stream) { RESIDUA_CUDA(cudaEventRecord(event_.get(), stream)); }
  // Work enqueued on `stream` from now on waits for the point.
  void MakeWait(cudaStream_t stream) const { RESIDUA_CUDA(cudaStreamWaitEvent(stream, event_.get(), 0)); }
  // This thread waits for it.
  void Wait() const { RESIDUA_CUDA(cudaEventSynchronize(event_.get())); }
  bool IsDone() const {
    const cudaError_t status = cudaEventQuery(event_.get());
    if (status != cudaErrorNotReady) {
      Check(status, "cudaEventQuery", __FILE__, __LINE__);
      return true;
    }
    static_cast<void>(cudaGetLastError());  // "not ready" stays behind there, where a launch would find it
    return false;
  }

 private:
  Owned<cudaEvent_t, cudaEventDestroy> event_;
};

// Host memory that the GPU copies from and to by itself, while the host goes on.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  explicit PinnedMemory(size_t bytes) : bytes_(bytes) { RESIDUA_CUDA(cudaMallocHost(memory_.address(), bytes)); }
  char* data() const { return static_cast<char*>(memory_.get()); }
  size_t bytes() const { return bytes_; }

 private:
  Owned<void*, cudaFreeHost> memory_;
  size_t bytes_ = 0;
};

}  // namespace residua::cuda
