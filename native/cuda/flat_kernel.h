// Kernels over arrays without regard to shape: y[i] = f(a[i], b[i]), 16 bytes at a time. For .cu files, after launch.h.
#pragma once
#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {

// Function::Apply(a, b) works on what Load gives; an operand of step 0 is one value for all elements. `y` may be `a`
// or `b`.
template <class Function, class In, class Out, int kStepA = 1, int kStepB = 1>
__global__ void FlatKernel(const In* a, const In* b, Out* y, int64_t count) {
  constexpr int kCount = kPackOf<In>;
  for (int64_t at = GridThread() * kCount; at < count; at += GridThreads() * kCount) {
    if (at + kCount > count) {  // the tail
      for (int64_t i = at; i < count; ++i) {
        y[i] = Store<Out>(Function::Apply(Load(a[i * kStepA]), Load(b[i * kStepB])));
      }
      return;
    }
    Pack<In, kCount> pack_a, pack_b;
    if constexpr (kStepA == 1) pack_a = LoadPack<kCount>(a + at);
    if constexpr (kStepB == 1) pack_b = LoadPack<kCount>(b + at);
    Pack<Out, kCount> result;
    for (int k = 0; k < kCount; ++k) {
      const In value_a = kStepA == 1 ? pack_a.values[k] : *a;
      const In value_b = kStepB == 1 ? pack_b.values[k] : *b;
      result.values[k] = Store<Out>(Function::Apply(Load(value_a), Load(value_b)));
    }
    StorePack(result, y + at);
  }
}

template <class Function, class In, class Out, int kStepA = 1, int kStepB = 1>
void LaunchFlat(cudaStream_t stream, const void* a, const void* b, void* y, int64_t count) {
  constexpr auto kernel = FlatKernel<Function, In, Out, kStepA, kStepB>;
  const int64_t packs = (count + kPackOf<In> - 1) / kPackOf<In>;
  RESIDUA_LAUNCH(kernel, BlocksFor(packs), kThreads, stream, static_cast<const In*>(a), static_cast<const In*>(b),
                 static_cast<Out*>(y), count);
}

}  // namespace residua::cuda
