// The two ways in which pooling ops run: as a cuDNN graph, or as a kernel of our own; and the form of what max pooling
// keeps for its backward pass.
#pragma once
#include <string>

#include "cuda/cuda_plan.h"
#include "cuda/graph_planner.h"
#include "cuda/pool2d_graph.h"
#include "cuda/pool2d_kernels.h"

namespace residua::cuda {

class Pool2dGraphPlan : public ConvertingPlan {
 public:
  Pool2dGraphPlan(const CudaContext& context, const Descs& inputs, const Descs& wanted, Descs plan_outputs,
                  Pool2dGraph graph, std::shared_ptr<GraphPlan> plan);

 protected:
  void LaunchConverted(const LaunchArgs& args) override;

 private:
  Pool2dGraph graph_;
  std::shared_ptr<GraphPlan> plan_;
};

class Pool2dKernelPlan : public ConvertingPlan {
 public:
  Pool2dKernelPlan(const CudaContext& context, const Descs& inputs, const Descs& wanted, Descs plan_outputs,
                   const Pool2dView& view, LaunchPool2d launch);

 protected:
  void LaunchConverted(const LaunchArgs& args) override;

 private:
  Pool2dView view_;
  LaunchPool2d launch_;
};

// Who wrote the positions of the maxima. Only its own backward pass knows what they mean.
enum class ArgmaxForm { kCudnn, kKernel };
void SetArgmaxForm(TensorDesc* argmax, ArgmaxForm form, const Pool2dParams& params, const Shape& x);
// Throws Error(kNative) where it is not that of a max pooling of these parameters and shapes.
ArgmaxForm ArgmaxFormOf(const TensorDesc& argmax, const Pool2dParams& params, const Shape& x);

}  // namespace residua::cuda
