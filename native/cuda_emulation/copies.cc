// The run-time API's copies and fills. What a copy does with the host's side depends on that memory: pinned memory is
// read and written when the stream gets there; pageable memory is read before the call returns, and written before it
// returns, which waits.
#include <cstring>
#include <memory>
#include <vector>

#include "cuda_emulation/memory.h"
#include "cuda_emulation/streams.h"

using namespace residua::cuda_emulation;

namespace {

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
  MemoryKind to_kind, from_kind;

  bool ToDevice() const { return to_kind == MemoryKind::kDevice; }
  bool FromDevice() const { return from_kind == MemoryKind::kDevice; }
  bool IsPageable() const { return to_kind == MemoryKind::kPageable || from_kind == MemoryKind::kPageable; }
};

// Whether both ends are what `kind` says, and whole. Stricter than CUDA, which lets some wrong kinds pass.
cudaError_t Check(const Copy& copy, enum cudaMemcpyKind kind) {
  const auto fits = [&](MemoryKind memory, const void* pointer) {
    return pointer != nullptr && (memory == MemoryKind::kPageable || IsWithin(memory, pointer, copy.bytes));
  };
  if (!fits(copy.to_kind, copy.to) || !fits(copy.from_kind, copy.from)) return cudaErrorInvalidValue;
  switch (kind) {
    case cudaMemcpyHostToHost:
      return copy.ToDevice() || copy.FromDevice() ? cudaErrorInvalidValue : cudaSuccess;
    case cudaMemcpyHostToDevice:
      return copy.ToDevice() && !copy.FromDevice() ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDeviceToHost:
      return !copy.ToDevice() && copy.FromDevice() ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDeviceToDevice:
      return copy.ToDevice() && copy.FromDevice() ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDefault:
      return cudaSuccess;
  }
  return cudaErrorInvalidMemcpyDirection;
}

Copy Describe(void* dst, const void* src, size_t count) { return {dst, src, count, KindOf(dst), KindOf(src)}; }

// When the stream gets there: the memory may have been freed since.
void Run(const Copy& copy) {
  const bool to_fits = copy.to_kind == MemoryKind::kPageable || IsWithin(copy.to_kind, copy.to, copy.bytes);
  const bool from_fits = copy.from_kind == MemoryKind::kPageable || IsWithin(copy.from_kind, copy.from, copy.bytes);
  if (!to_fits || !from_fits) {
    return LoseDevice(cudaErrorIllegalAddress, "a copy's memory was freed before the copy ran");
  }
  std::memmove(copy.to, copy.from, copy.bytes);
}

cudaError_t EnqueueCopy(const Copy& copy, cudaStream_t stream) {
  if (!copy.IsPageable()) {
    return Enqueue(stream, [copy] { Run(copy); });
  }
  if (IsCapturing(stream)) {  // a graph would keep a pointer to memory that nobody promised to keep
    InvalidateCapture(stream);
    return cudaErrorStreamCaptureUnsupported;
  }
  if (copy.from_kind == MemoryKind::kPageable && copy.ToDevice()) {
    const auto* bytes = static_cast<const unsigned char*>(copy.from);
    const auto staged = std::make_shared<const std::vector<unsigned char>>(bytes, bytes + copy.bytes);
    Copy from_staged = copy;
    from_staged.from = staged->data();
    return Enqueue(stream, [from_staged, staged] { Run(from_staged); });
  }
  const cudaError_t status = Enqueue(stream, [copy] { Run(copy); });
  if (status != cudaSuccess) return status;
  RunStream(stream);
  return DeviceError();
}

cudaError_t EnqueueFill(void* pointer, int value, size_t count, cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  const MemoryKind kind = KindOf(pointer);
  if (kind == MemoryKind::kPageable || !IsWithin(kind, pointer, count)) return cudaErrorInvalidValue;
  return Enqueue(stream, [=] {
    if (!IsWithin(kind, pointer, count)) {
      return LoseDevice(cudaErrorIllegalAddress, "a fill's memory was freed before the fill ran");
    }
    std::memset(pointer, value, count);
  });
}

}  // namespace

cudaError_t cudaMemcpyAsync(void* dst, const void* src, size_t count, enum cudaMemcpyKind kind, cudaStream_t stream) {
  return CallOnStream(__func__, stream, [&] {
    if (!IsStream(stream)) return cudaErrorInvalidResourceHandle;
    if (count == 0) return cudaSuccess;
    const Copy copy = Describe(dst, src, count);
    const cudaError_t status = Check(copy, kind);
    return status != cudaSuccess ? status : EnqueueCopy(copy, stream);
  });
}

cudaError_t cudaMemcpy(void* dst, const void* src, size_t count, enum cudaMemcpyKind kind) {
  return CallOnStream(__func__, nullptr, [&] {
    cudaError_t status = CheckUnsafeCall();
    if (status != cudaSuccess || count == 0) return status;
    const Copy copy = Describe(dst, src, count);
    status = Check(copy, kind);
    if (status == cudaSuccess) status = EnqueueCopy(copy, nullptr);
    if (status != cudaSuccess) return status;
    RunStream(nullptr);
    return DeviceError();
  });
}

cudaError_t cudaMemsetAsync(void* devPtr, int value, size_t count, cudaStream_t stream) {
  return CallOnStream(__func__, stream, [&] {
    return IsStream(stream) ? EnqueueFill(devPtr, value, count, stream) : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t cudaMemset(void* devPtr, int value, size_t count) {
  return CallOnStream(__func__, nullptr, [&] {
    const cudaError_t status = CheckUnsafeCall();
    return status != cudaSuccess ? status : EnqueueFill(devPtr, value, count, nullptr);
  });
}
