// Copies elements, converting between any two of the five types.
#pragma once
#include "cuda/cuda_plan.h"

namespace residua::cuda {

// Floats: to the nearest, ties to even; what is too large becomes infinity. To integers: towards zero, clamped to the
// range; NaN becomes 0. Nothing is written where a guard of `guards` is set; null: there are none.
void LaunchCast(cudaStream_t stream, DType from_type, const void* from, DType to_type, void* to, int64_t count,
                const LaunchArgs* guards);

}  // namespace residua::cuda
