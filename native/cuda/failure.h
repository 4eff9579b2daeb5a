// What went wrong in an op on the GPU, and whether the GPU can go on after it.
#pragma once
#include <cuda_runtime.h>

#include <memory>
#include <mutex>

#include "core/op.h"
#include "cuda/cuda_plan.h"

namespace residua::cuda {

// The exception that is being handled, as an Error that names the op and its shapes. To be called in a catch block.
std::shared_ptr<const Error> CurrentFailure(const Op& op, const Descs& inputs);
// `error` with the op and its shapes among its details.
std::shared_ptr<const Error> WithOp(const Error& error, const Op& op, const Descs& inputs);

// Some failures (an illegal address, a hardware fault) end all work of the process on that GPU: CUDA then answers every
// call with them. They are told once as they are; from then on work is refused with an error that says why. Any thread.
class DeviceHealth {
 public:
  explicit DeviceHealth(cudaStream_t stream) : stream_(stream) {}

  // Throws where the GPU can be used no more.
  void ThrowIfBroken() const;
  bool IsBroken() const;
  // To be told of each failure of a call: finds out what it means for the GPU.
  void Note(const Error& failure);

 private:
  cudaStream_t stream_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Error> broken_;
};

}  // namespace residua::cuda
