// The cuDNN graphs of pooling and its gradients. Images are NHWC.
#pragma once
#include <vector>

#include "cuda/graph.h"

namespace residua::cuda {

// Tensors in the order of the op's inputs and outputs (core/op.h).
struct Pool2dGraph {
  Graph graph;
  std::vector<Graph::TensorId> inputs, outputs;
};

// `x` and `y`: shapes of the input and output of the forward pass.
Pool2dGraph MakeMaxPool2d(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y);
Pool2dGraph MakeMaxPool2dBackward(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y);
Pool2dGraph MakeAvgPool2d(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y);
Pool2dGraph MakeAvgPool2dBackward(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y);

// Whether the position of a maximum in its window fits the byte that the graphs keep it in.
bool IndexFitsByte(const Pool2dParams& params);

}  // namespace residua::cuda
