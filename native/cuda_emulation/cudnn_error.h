// How calls of the emulated cuDNN fail: code inside throws, the C functions turn that into a status and keep the text
// for cudnnGetLastErrorString. Every function goes through CudnnCall.
#pragma once
#include <cudnn.h>

#include <string>
#include <utility>

#include "cuda_emulation/injection.h"

namespace residua::cuda_emulation {

struct CudnnRefusal {
  cudnnStatus_t status;
  std::string text;
};

[[noreturn]] inline void Refuse(cudnnStatus_t status, std::string text) { throw CudnnRefusal{status, std::move(text)}; }

// Throws where `given` is null.
inline void RequirePointer(const void* given, const char* name) {
  if (given == nullptr) Refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, std::string(name) + " must not be null.");
}

// Keeps the text for this thread, returns the status.
cudnnStatus_t ReportCudnn(cudnnStatus_t status, const std::string& text);

// The frame of a cuDNN function. `usual` is the status of a failure made on request that names none.
template <class Body>
cudnnStatus_t CudnnCall(const char* function, cudnnStatus_t usual, const Body& body) {
  const int fault = InjectedFault(function, usual);
  if (fault != 0) return ReportCudnn(static_cast<cudnnStatus_t>(fault), std::string(function) + ": made to fail.");
  try {
    body();
    return CUDNN_STATUS_SUCCESS;
  } catch (const CudnnRefusal& refusal) {
    return ReportCudnn(refusal.status, std::string(function) + ": " + refusal.text);
  }
}

}  // namespace residua::cuda_emulation
