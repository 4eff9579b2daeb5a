// Times candidate plans of a graph on the device: the mode "cudnn benchmark".
#pragma once
#include <vector>

#include "cuda/context.h"
#include "cuda/engine_plan.h"
#include "cuda/graph.h"

namespace residua::cuda {

// Runs every plan a few times on buffers of zeros and moves the fastest to the front. The buffers are taken from the
// device for the time of the measurement; where it has no room for them the order stays.
void FastestFirst(const CudaContext& context, const Graph& graph, std::vector<EnginePlan>* plans);

// Runs a plan on the handle's stream; `pointers` by uid of `uids`.
void ExecutePlan(cudnnHandle_t handle, const EnginePlan& plan, const std::vector<int64_t>& uids,
                 const std::vector<void*>& pointers, void* workspace);

}  // namespace residua::cuda
