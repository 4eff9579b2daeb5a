// Convolution: x [n, ci, h, w], w [co, ci / groups, kh, kw], b [co] -> y [n, co, oh, ow], all NHWC in memory; with a
// residual [n, co, oh, ow] added and ReLU on request.
#include <optional>

#include "cuda/bias.h"
#include "cuda/convolution.h"
#include "cuda/cuda_plan.h"

namespace residua::cuda {
namespace {

// Conv2d and Conv2dFused, whose residual is the last input. y has storage of its own, as cuDNN does not promise to have
// read an element of the residual before it writes there.
class Conv2dPlan : public ConvertingPlan {
 public:
  Conv2dPlan(const CudaContext& context, const ConvolutionSpec& spec, const Descs& inputs, Descs plan_outputs)
      : ConvertingPlan(context, inputs, ImagesNhwc(inputs), std::move(plan_outputs)),
        has_residual_(spec.params.has_residual != 0),
        relu_(spec.params.relu != 0) {
    if (inputs.size() > 2) {
      bias_type_ = inputs[2].dtype;
      biased_.emplace(context, spec, *bias_type_);
    }
    if (biased_.has_value() && biased_->supported()) {
      ReserveScratch(biased_->scratch_bytes());
    } else {
      biased_.reset();
      convolution_.emplace(context, spec);
      ReserveScratch(convolution_->scratch_bytes());
    }
    PreferNhwcWeights(inputs);
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    void *x = args.inputs[0], *w = args.inputs[1], *y = args.outputs[0];
    void* residual = has_residual_ ? args.inputs[3] : nullptr;
    if (biased_.has_value()) {
      biased_->Launch(x, w, args.inputs[2], residual, y, args.scratch);
      return;
    }
    cudaStream_t stream = context().stream;
    convolution_->Launch(stream, x, w, y, args.scratch);
    if (bias_type_.has_value()) LaunchAddBias(stream, outputs[0], y, *bias_type_, args.inputs[2], residual, relu_);
  }

 private:
  void PreferNhwcWeights(const Descs& inputs) {
    preferred_inputs.resize(inputs.size());
    for (TensorDesc& preferred : preferred_inputs) preferred.bytes = 0;
    if (!IsNhwc(inputs[1])) preferred_inputs[1] = NhwcLike(inputs[1]);
  }

  bool has_residual_, relu_;
  std::optional<DType> bias_type_;
  std::optional<BiasedConvolution> biased_;
  std::optional<Convolution> convolution_;
};

PlanPtr PrepareForward(const CudaContext& context, const Conv2dParams& params, const Descs& inputs, Descs outputs) {
  SetNhwc(&outputs[0]);
  const ConvolutionSpec spec = SpecOf(ConvolutionPass::kForward, params, inputs[0], inputs[1], outputs[0]);
  return std::make_shared<Conv2dPlan>(context, spec, inputs, std::move(outputs));
}

}  // namespace

PlanPtr PrepareConv2d(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  Conv2dParams params = std::get<Conv2dParams>(op.params);
  params.relu = params.has_residual = 0;  // belong to Conv2dFused
  return PrepareForward(context, params, inputs, std::move(outputs));
}

PlanPtr PrepareConv2dFused(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareForward(context, std::get<Conv2dParams>(op.params), inputs, std::move(outputs));
}

}  // namespace residua::cuda
