// One word in place of several guards.
#pragma once
#include <cstdint>

#include "cuda/cuda_plan.h"

namespace residua::cuda {

// *word = 1 where a guard of `args` is set, else 0.
void LaunchCollectGuards(const CudaContext& context, const LaunchArgs& args, int32_t* word);

}  // namespace residua::cuda
