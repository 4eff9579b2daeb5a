// The cuDNN graphs of the convolution's three passes. The ops and the planning program build them here.
#pragma once
#include "cuda/graph.h"

namespace residua::cuda {

// One convolution: shapes of x [n, ci, h, w], w [co, ci / groups, kh, kw], y [n, co, oh, ow], and the type of x and y.
struct ConvolutionSpec {
  ConvolutionPass pass = ConvolutionPass::kForward;
  DType dtype = DType::kFloat32;
  Shape x, w, y;
  Conv2dParams params;
};

struct Conv2dGraph {
  Graph graph;
  Graph::TensorId x, w, y;
  Graph::TensorId bias, residual;  // of MakeConv2dWithBias; no residual unless the params have one
};

// The types of w to ask cuDNN for, one after the other. The gradient of shorter types is wanted in float32, but few
// engines write it so.
std::vector<DType> WeightTypes(const ConvolutionSpec& spec);

// The pass alone. `weights` is the type of w.
Conv2dGraph MakeConv2d(const ConvolutionSpec& spec, DType weights);
// Forward, a bias [co] added, and what the params ask of Conv2dFused: a residual [n, co, oh, ow] added, ReLU.
Conv2dGraph MakeConv2dWithBias(const ConvolutionSpec& spec, DType bias);

}  // namespace residua::cuda
