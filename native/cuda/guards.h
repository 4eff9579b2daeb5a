// Words that earlier kernels may have set to stop updates in place. For .cu files, after launch.h.
#pragma once
#include "cuda/cuda_plan.h"
#include "cuda/launch.h"

namespace residua::cuda {

struct Guards {
  const int32_t* words[LaunchArgs::kMostGuards] = {};
  int count = 0;
};

inline Guards GuardsOf(const LaunchArgs& args) {
  Guards guards;
  guards.count = args.guard_count;
  for (int i = 0; i < args.guard_count; ++i) guards.words[i] = args.guards[i];
  return guards;
}

// Whether something went wrong before: then nothing may be updated.
__device__ inline bool IsStopped(const Guards& guards) {
  for (int i = 0; i < guards.count; ++i) {
    if (*guards.words[i] != 0) return true;
  }
  return false;
}

}  // namespace residua::cuda
