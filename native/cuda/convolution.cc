// One pass of a convolution ready to run, as cuDNN's plan, or directly where cuDNN has none.
#include "cuda/convolution.h"

#include <utility>

#include "cuda/cast_kernel.h"
#include "cuda/conv2d_fallback.h"

namespace residua::cuda {

Convolution::Convolution(const CudaContext& context, ConvolutionSpec spec) : spec_(std::move(spec)) {
  for (const DType weights : WeightTypes(spec_)) {
    if (!PlanWith(context, weights)) continue;
    narrow_gradient_ = spec_.pass == ConvolutionPass::kBackwardWeights && weights != DType::kFloat32;
    return;
  }
}

bool Convolution::PlanWith(const CudaContext& context, DType weights) {
  Conv2dGraph made = MakeConv2d(spec_, weights);
  plan_ = context.planner->Plan(made.graph);
  x_ = made.x;
  w_ = made.w;
  y_ = made.y;
  return plan_ != nullptr;
}

size_t Convolution::narrow_bytes() const {
  if (!narrow_gradient_) return 0;
  const size_t bytes = static_cast<size_t>(NumElements(spec_.w)) * SizeOf(spec_.dtype);
  return (bytes + 255) / 256 * 256;  // what follows is aligned as the scratch is
}

size_t Convolution::scratch_bytes() const { return narrow_bytes() + (plan_ == nullptr ? 0 : plan_->workspace_bytes()); }

void Convolution::Launch(cudaStream_t stream, void* x, void* w, void* y, char* scratch) const {
  if (plan_ == nullptr) {
    LaunchDirectConvolution(stream, spec_, x, w, y);
    return;
  }
  void* w_of_plan = narrow_gradient_ ? scratch : w;
  plan_->Execute({{x_, x}, {w_, w_of_plan}, {y_, y}}, scratch + narrow_bytes());
  if (narrow_gradient_) {
    LaunchCast(stream, spec_.dtype, scratch, DType::kFloat32, w, NumElements(spec_.w), nullptr);
  }
}

BiasedConvolution::BiasedConvolution(const CudaContext& context, const ConvolutionSpec& spec, DType bias)
    : has_residual_(spec.params.has_residual != 0) {
  Conv2dGraph made = MakeConv2dWithBias(spec, bias);
  plan_ = context.planner->Plan(made.graph);
  x_ = made.x;
  w_ = made.w;
  bias_ = made.bias;
  residual_ = made.residual;
  y_ = made.y;
}

void BiasedConvolution::Launch(void* x, void* w, void* bias, void* residual, void* y, char* scratch) const {
  std::vector<std::pair<Graph::TensorId, void*>> pointers = {{x_, x}, {w_, w}, {bias_, bias}, {y_, y}};
  if (has_residual_) pointers.emplace_back(residual_, residual);
  plan_->Execute(pointers, scratch);
}

ConvolutionSpec SpecOf(ConvolutionPass pass, const Conv2dParams& params, const TensorDesc& x, const TensorDesc& w,
                       const TensorDesc& y) {
  if (params.casts_weights) throw Error(ErrorCode::kConfig, "castsWeights: GPUs take weights of the image's type.");
  return {pass, x.dtype, x.shape, w.shape, y.shape, params};
}

}  // namespace residua::cuda
