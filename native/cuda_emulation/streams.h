// Streams as queues. Nothing runs when it is enqueued: work runs, in order, when the host waits for it (synchronises,
// asks an event a second time, copies to pageable memory) or when a host function is queued behind it, which a thread
// of the emulation then brings on. So a read without a wait sees old values every time instead of seldom.
#pragma once
#include <functional>

#include "cuda_emulation/errors.h"
#include "cuda_runtime_api.h"

namespace residua::cuda_emulation {

using Work = std::function<void()>;

// Puts `work` at the end of the stream, or into the graph if the stream is being captured. `work` must own what it
// needs: a captured one runs on each launch of the graph. It may be run by any thread and reports failure by
// LoseDevice.
cudaError_t Enqueue(cudaStream_t stream, Work work);

// Whether the handle is a live stream's (null is the default stream).
bool IsStream(cudaStream_t stream);
bool IsCapturing(cudaStream_t stream);
// Spoils the capture that the stream takes part in, if any.
void InvalidateCapture(cudaStream_t stream);

// Runs all that is queued in the stream; in every stream.
void RunStream(cudaStream_t stream);
void RunAllStreams();

// For calls that must not be made by a thread that captures (cudaMalloc): cudaSuccess, or
// cudaErrorStreamCaptureUnsupported after invalidating the captures that forbid them.
cudaError_t CheckUnsafeCall();

// The frame of a function that queues work: as Call, but a fault that loses the device comes when the stream gets
// there.
template <class Body>
cudaError_t CallOnStream(const char* function, cudaStream_t stream, const Body& body) {
  cudaError_t fault = cudaSuccess;
  cudaError_t status = Refusal(function, &fault);
  if (status == cudaSuccess && fault != cudaSuccess) {
    status = Enqueue(stream, [fault] { LoseDevice(fault, "injected fault"); });
  } else if (status == cudaSuccess) {
    status = body();
  }
  return Report(status);
}

}  // namespace residua::cuda_emulation
