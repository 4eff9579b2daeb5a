// The update of stochastic gradient descent for many parameters in one launch.
#pragma once
#include <cstdint>
#include <vector>

#include "core/op.h"
#include "cuda/cuda_plan.h"

namespace residua::cuda {

// One parameter: `count` elements of each, in one layout.
struct SgdEntry {
  float* weight;
  const float* grad;
  float* momentum;  // null without momentum
  int64_t count;
};

// hyper, on the device: rescale, momentum, clip (0: none), then rate and decay of each entry. Nothing is updated where
// a guard of `args` is set.
void LaunchSgd(const CudaContext& context, const SgdParams& params, const std::vector<SgdEntry>& entries,
               const float* hyper, const LaunchArgs& args);

}  // namespace residua::cuda
