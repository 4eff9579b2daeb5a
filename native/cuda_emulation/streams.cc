// The run-time API's streams and host functions.
#include "cuda_emulation/streams.h"

#include <algorithm>

#include "cuda_emulation/queue.h"

using namespace residua::cuda_emulation;

namespace {

constexpr int kLowestPriority = 0;
constexpr int kHighestPriority = -5;  // of an H100

// Finds the stream and calls body(runtime, lock, stream) under the lock.
template <class Body>
cudaError_t WithStream(const char* function, cudaStream_t handle, const Body& body) {
  return Call(function, [&] {
    Runtime& runtime = Runtime::Get();
    Lock lock(runtime.mutex);
    const auto stream = FindStream(runtime, handle);
    return stream == nullptr ? cudaErrorInvalidResourceHandle : body(&runtime, &lock, stream);
  });
}

// A stream that is being captured cannot be waited for, nor may a capturing thread wait for another.
cudaError_t CheckWait(const std::shared_ptr<CUstream_st>& stream, Lock* lock) {
  if (stream->capture != nullptr) {
    Invalidate(stream->capture.get());
    return cudaErrorStreamCaptureUnsupported;
  }
  lock->unlock();
  const cudaError_t status = CheckUnsafeCall();
  lock->lock();
  return status;
}

cudaError_t Create(cudaStream_t* handle, unsigned flags, int priority) {
  if (handle == nullptr || (flags & ~cudaStreamNonBlocking) != 0) return cudaErrorInvalidValue;
  auto stream = std::make_shared<CUstream_st>();
  stream->flags = flags;
  stream->priority = std::clamp(priority, kHighestPriority, kLowestPriority);
  Runtime& runtime = Runtime::Get();
  const Lock lock(runtime.mutex);
  *handle = stream.get();
  runtime.streams[stream.get()] = std::move(stream);
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* pStream, unsigned int flags, int priority) {
  return Call(__func__, [&] { return Create(pStream, flags, priority); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* pStream, unsigned int flags) {
  return Call(__func__, [&] { return Create(pStream, flags, kLowestPriority); });
}

cudaError_t cudaStreamCreate(cudaStream_t* pStream) {
  return Call(__func__, [&] { return Create(pStream, cudaStreamDefault, kLowestPriority); });
}

cudaError_t cudaStreamGetFlags(cudaStream_t hStream, unsigned int* flags) {
  return WithStream(__func__, hStream, [&](Runtime*, Lock*, const auto& stream) {
    if (flags == nullptr) return cudaErrorInvalidValue;
    *flags = stream->flags;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamGetPriority(cudaStream_t hStream, int* priority) {
  return WithStream(__func__, hStream, [&](Runtime*, Lock*, const auto& stream) {
    if (priority == nullptr) return cudaErrorInvalidValue;
    *priority = stream->priority;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* leastPriority, int* greatestPriority) {
  return Call(__func__, [&] {
    if (leastPriority != nullptr) *leastPriority = kLowestPriority;
    if (greatestPriority != nullptr) *greatestPriority = kHighestPriority;
    return cudaSuccess;
  });
}

// Work that is queued is still done, as on a GPU.
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  if (handle == nullptr) return Call(__func__, [] { return cudaErrorInvalidResourceHandle; });
  return WithStream(__func__, handle, [&](Runtime* runtime, Lock*, const auto& stream) {
    if (stream->capture != nullptr) {
      Invalidate(stream->capture.get());
      return cudaErrorStreamCaptureUnsupported;
    }
    if (stream->finished < stream->enqueued) runtime->destroyed_streams.push_back(stream);
    runtime->streams.erase(handle);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return WithStream(__func__, handle, [&](Runtime* runtime, Lock* lock, const auto& stream) {
    const cudaError_t status = CheckWait(stream, lock);
    if (status != cudaSuccess) return status;
    RunUntil(runtime, lock, *TailOf(stream));
    return DeviceError();
  });
}

// Not ready when first asked after new work, so that callers meet that answer; the second question runs the work.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return WithStream(__func__, handle, [&](Runtime* runtime, Lock* lock, const auto& stream) {
    const cudaError_t status = CheckWait(stream, lock);
    if (status != cudaSuccess) return status;
    const auto tail = TailOf(stream);
    if (!IsReached(*tail) && stream->asked != stream->enqueued) {
      stream->asked = stream->enqueued;
      return cudaErrorNotReady;
    }
    RunUntil(runtime, lock, *tail);
    return DeviceError();
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t fn, void* userData) {
  return WithStream(__func__, handle, [&](Runtime* runtime, Lock*, const auto& stream) {
    if (fn == nullptr) return cudaErrorInvalidValue;
    Task task;
    task.work = std::make_shared<const Work>([fn, userData] { fn(userData); });
    task.is_host_function = true;
    const cudaError_t status = Append(runtime, stream, std::move(task));
    if (status == cudaSuccess && stream->capture == nullptr) BringOn(TailOf(stream));
    return status;
  });
}

cudaError_t cudaDeviceSynchronize(void) {
  return Call(__func__, [] {
    const cudaError_t status = CheckUnsafeCall();
    if (status != cudaSuccess) return status;
    RunAllStreams();
    return DeviceError();
  });
}
