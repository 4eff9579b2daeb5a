// From the number of an element to where it lies, for loops with strides. For .cu files, after launch.h.
#pragma once
#include "cuda/grid.h"
#include "cuda/strides.h"

namespace residua::cuda {

template <int kOperands>
struct Offsets {
  int64_t at[kOperands];
};

template <int kOperands>
__device__ inline Offsets<kOperands> OffsetsOf(const StridedLoops<kOperands>& loops, int64_t index) {
  Offsets<kOperands> offsets = {};
  for (int i = loops.count - 1; i >= 0; --i) {
    const int64_t next = i == 0 ? 0 : Quotient(index, loops.sizes[i]);  // the outermost needs no division
    const int64_t position = index - next * loops.sizes[i];
    for (int k = 0; k < kOperands; ++k) offsets.at[k] += position * loops.strides[i][k];
    index = next;
  }
  return offsets;
}

}  // namespace residua::cuda
