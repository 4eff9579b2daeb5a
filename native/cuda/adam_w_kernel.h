// The update of AdamW for many parameters in one launch.
#pragma once
#include "cuda/parameter_update.h"

namespace residua::cuda {

// hyper: rescale, clip (0: none), beta1, beta2, epsilon, then for each entry 1 - lr * wd, lr / (1 - beta1^t) and
// 1 / sqrt(1 - beta2^t). The states are the means of the gradients and of their squares.
void LaunchAdamW(const CudaContext& context, const std::vector<UpdateEntry>& entries, const float* hyper,
                 const LaunchArgs& args);

}  // namespace residua::cuda
