// The convolution's gradients: of the data (dy, w -> dx) and of the weights (x, dy -> dw, db), all NHWC in memory. dw
// and db are float32.
#include <algorithm>
#include <optional>

#include "cuda/convolution.h"
#include "cuda/cuda_plan.h"
#include "cuda/sum.h"

namespace residua::cuda {
namespace {

constexpr int32_t kAllButChannels = 0b1101;  // axes n, h, w of [n, c, h, w]

class BackwardDataPlan : public ConvertingPlan {
 public:
  BackwardDataPlan(const CudaContext& context, ConvolutionSpec spec, const Descs& inputs, Descs plan_outputs)
      : ConvertingPlan(context, inputs, ImagesNhwc(inputs), std::move(plan_outputs)),
        convolution_(context, std::move(spec)) {
    ReserveScratch(convolution_.scratch_bytes());
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    convolution_.Launch(context().stream, args.outputs[0], args.inputs[1], args.inputs[0], args.scratch);
  }

 private:
  Convolution convolution_;
};

class BackwardWeightsPlan : public ConvertingPlan {
 public:
  BackwardWeightsPlan(const CudaContext& context, ConvolutionSpec spec, const Descs& inputs, Descs plan_outputs)
      : ConvertingPlan(context, inputs, ImagesNhwc(inputs), std::move(plan_outputs)),
        convolution_(context, std::move(spec)) {
    size_t scratch_bytes = convolution_.scratch_bytes();
    if (outputs.size() > 1) {
      bias_sum_.emplace(NhwcLike(inputs[1]), kAllButChannels, DType::kFloat32, false);
      scratch_bytes = std::max(scratch_bytes, bias_sum_->scratch_bytes());  // one after the other
    }
    ReserveScratch(scratch_bytes);
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    convolution_.Launch(context().stream, args.inputs[0], args.outputs[0], args.inputs[1], args.scratch);
    if (bias_sum_.has_value()) {
      bias_sum_->Launch(context().stream, args.inputs[1], args.outputs[1], args.scratch);
    }
  }

 private:
  Convolution convolution_;
  std::optional<AxisSum> bias_sum_;
};

}  // namespace

PlanPtr PrepareConv2dBackwardData(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  SetNhwc(&outputs[0]);
  ConvolutionSpec spec =
      SpecOf(ConvolutionPass::kBackwardData, std::get<Conv2dParams>(op.params), outputs[0], inputs[1], inputs[0]);
  return std::make_shared<BackwardDataPlan>(context, std::move(spec), inputs, std::move(outputs));
}

PlanPtr PrepareConv2dBackwardWeights(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  SetNhwc(&outputs[0]);
  ConvolutionSpec spec =
      SpecOf(ConvolutionPass::kBackwardWeights, std::get<Conv2dParams>(op.params), inputs[0], outputs[0], inputs[1]);
  return std::make_shared<BackwardWeightsPlan>(context, std::move(spec), inputs, std::move(outputs));
}

}  // namespace residua::cuda
