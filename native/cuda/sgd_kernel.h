// The update of stochastic gradient descent for many parameters in one launch.
#pragma once
#include "core/op.h"
#include "cuda/parameter_update.h"

namespace residua::cuda {

// hyper: rescale, momentum, clip (0: none), then rate and decay of each entry. The state is the momentum.
void LaunchSgd(const CudaContext& context, const SgdParams& params, const std::vector<UpdateEntry>& entries,
               const float* hyper, const LaunchArgs& args);

}  // namespace residua::cuda
