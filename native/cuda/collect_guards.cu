// One word in place of several guards: a captured launch asks words whose address is known beforehand.
#include "cuda/collect_guards.h"
#include "cuda/guards.h"
#include "cuda/launch.h"

namespace residua::cuda {
namespace {

constexpr int kWarp = 32;

__global__ void CollectGuardsKernel(Guards guards, int32_t* word) {
  if (threadIdx.x == 0) *word = IsStopped(guards) ? 1 : 0;
}

}  // namespace

void LaunchCollectGuards(const CudaContext& context, const LaunchArgs& args, int32_t* word) {
  RESIDUA_LAUNCH(CollectGuardsKernel, 1, kWarp, context.stream, GuardsOf(args), word);
}

}  // namespace residua::cuda
