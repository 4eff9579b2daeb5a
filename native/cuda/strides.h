// Tensors of any layout as nested loops with strides, merged to as few as possible.
#pragma once
#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace residua::cuda {

// The way between neighbours along each logical axis, in elements.
std::vector<int64_t> StridesOf(const TensorDesc& desc);
// The logical axes from the outermost in memory to the innermost.
std::vector<int> StorageOrder(const TensorDesc& desc);

// Loops, outermost first, over kOperands tensors at once. Plain data: an argument of kernels.
template <int kOperands>
struct StridedLoops {
  int count = 0;
  int64_t sizes[kMaxDims] = {};
  int64_t strides[kMaxDims][kOperands] = {};  // in elements

  // Adds an inner loop, or makes the innermost longer where the two are one.
  void Add(int64_t size, const int64_t (&step)[kOperands]) {
    if (size == 1) return;
    bool merges = count > 0;
    for (int k = 0; merges && k < kOperands; ++k) merges = strides[count - 1][k] == step[k] * size;
    if (merges) {
      sizes[count - 1] *= size;
    } else {
      sizes[count++] = size;
    }
    for (int k = 0; k < kOperands; ++k) strides[count - 1][k] = step[k];
  }

  int64_t Total() const {
    int64_t total = 1;
    for (int i = 0; i < count; ++i) total *= sizes[i];
    return total;
  }
};

// NumPy broadcasting: loops over the elements of `output` in the order in which they lie in memory. Strides are 0 where
// an operand is repeated.
StridedLoops<2> BroadcastLoops(const TensorDesc& output, const TensorDesc& a, const TensorDesc& b);

}  // namespace residua::cuda
