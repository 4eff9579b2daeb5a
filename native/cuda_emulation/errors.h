// Errors of the emulated run-time: those of a call, kept for cudaGetLastError of its thread, and those that lose the
// device, kept for good. Every run-time function goes through Call.
#pragma once
#include "cuda_runtime_api.h"

namespace residua::cuda_emulation {

// Loses the device, as a kernel does that reads where it may not: queued work is dropped, every later call answers
// `error`. `what` goes to standard error.
void LoseDevice(cudaError_t error, const char* what);
// The error that lost the device, or cudaSuccess.
cudaError_t DeviceError();
bool LosesDevice(int status);  // whether CUDA calls this status sticky

// While one lives, calls of this thread are refused: host functions of a stream must not call CUDA.
class HostFunctionScope {
 public:
  HostFunctionScope();
  ~HostFunctionScope();
};

// Why `function` cannot run at all: a lost device, no device, an injected fault... cudaSuccess if it can. A fault that
// belongs to the device, not to the call, goes to `fault_when_run` where the function has one (it queues work).
cudaError_t Refusal(const char* function, cudaError_t* fault_when_run = nullptr);
// Keeps a failure for cudaGetLastError of this thread.
cudaError_t Report(cudaError_t status);

// The frame of a run-time function: return Call(__func__, [&] { ...; return cudaSuccess; });
template <class Body>
cudaError_t Call(const char* function, const Body& body) {
  const cudaError_t refusal = Refusal(function);
  return Report(refusal != cudaSuccess ? refusal : body());
}

}  // namespace residua::cuda_emulation
