// One pass of a convolution ready to run, as cuDNN's plan, or directly where cuDNN has none.
#pragma once
#include <memory>

#include "cuda/context.h"
#include "cuda/conv2d_graph.h"
#include "cuda/graph_planner.h"

namespace residua::cuda {

class Convolution {
 public:
  // Weights are of the type of x, their gradient is float32.
  Convolution(const CudaContext& context, ConvolutionSpec spec);
  size_t scratch_bytes() const;
  // All NHWC. x or y or w, whichever the pass computes, is written.
  void Launch(cudaStream_t stream, void* x, void* w, void* y, char* scratch) const;

 private:
  bool PlanWith(const CudaContext& context, DType weights);
  size_t narrow_bytes() const;  // of a gradient of the weights in the type of x, at the start of the scratch

  ConvolutionSpec spec_;
  std::shared_ptr<GraphPlan> plan_;  // null: direct
  Graph::TensorId x_, w_, y_;
  bool narrow_gradient_ = false;  // cuDNN gives the gradient of the weights in the type of x only
};

// Forward, bias and what the params ask of Conv2dFused (residual, ReLU) in one graph, where cuDNN has an engine for
// that.
class BiasedConvolution {
 public:
  BiasedConvolution(const CudaContext& context, const ConvolutionSpec& spec, DType bias);
  bool supported() const { return plan_ != nullptr; }
  size_t scratch_bytes() const { return plan_->workspace_bytes(); }
  // `residual` is read where the params have one.
  void Launch(void* x, void* w, void* bias, void* residual, void* y, char* scratch) const;

 private:
  std::shared_ptr<GraphPlan> plan_;
  Graph::TensorId x_, w_, bias_, residual_, y_;
  bool has_residual_;
};

// The spec of a pass from the descs of x, w and y (or of their gradients).
ConvolutionSpec SpecOf(ConvolutionPass pass, const Conv2dParams& params, const TensorDesc& x, const TensorDesc& w,
                       const TensorDesc& y);

}  // namespace residua::cuda
