// BatchNorm over axis 1 of x [n, c, ...] and its gradients; gamma, beta and the statistics are float32 [c].
//   training: statistics of the batch, running = momentum * running + (1 - momentum) * batch, in the same run;
//   otherwise the running statistics, as constants.
// In blocks of channels by residua's own kernels, in other layouts by oneDNN.
#include "cpu/batch_norm_blocks.h"
#include "cpu/channel_blocks.h"
#include "cpu/keep_nan.h"
#include "cpu/primitive_plan.h"

namespace residua::cpu {
namespace {

using Tag = dnnl::memory::format_tag;
using Flags = dnnl::normalization_flags;
using Forward = dnnl::batch_normalization_forward;
using Backward = dnnl::batch_normalization_backward;

// x as oneDNN reads it: as it comes where it is an image, else (2, 3 or 5 axes) plain as [n, c, size, 1]; with one
// position in blocks of channels, which on plain bytes is up to a hundred times as fast. Narrow blocks, as a
// convolution of groups of 4 channels makes them, become whole vectors: oneDNN has only its reference code for them.
MemoryDesc ImageDesc(const TensorDesc& x) {
  if (x.shape.size() == 4) {
    const MemoryDesc image = MemoryDescOf(x);
    const auto order = ChannelBlocksOf(image);
    const int64_t vector = VectorBlock();
    const bool is_narrow = order && order->positions > 1 && order->block > 1 && order->block < vector;
    if (!is_narrow || x.shape[1] % vector != 0) return BlockedIfSameBytes(image);
    return MemoryDesc(DimsOf(image), DataTypeOf(image), vector == 16 ? Tag::nChw16c : Tag::nChw8c);
  }
  const int64_t n = x.shape[0], c = x.shape[1];
  return BlockedIfSameBytes(PlainMemoryDesc(x.dtype, {n, c, NumElements(x.shape) / (n * c), 1}));
}

Flags FlagsOf(const BatchNormParams& p) {
  Flags flags = Flags::use_scale | Flags::use_shift;
  if (!p.training) flags |= Flags::use_global_stats;
  if (p.relu) flags |= Flags::fuse_norm_relu;
  return flags;
}

Forward::primitive_desc ForwardDesc(const CpuContext& context, const BatchNormParams& p, const TensorDesc& x,
                                    dnnl::prop_kind kind) {
  return MakeBatchNormForward(context.engine, UserScratchpad(), kind, ImageDesc(x), p.epsilon, FlagsOf(p));
}

void KeepNaNOfStatistics(const float* mean, const float* variance, int64_t channels, void* y, size_t y_bytes) {
  KeepNaN(mean, channels, y, y_bytes);
  KeepNaN(variance, channels, y, y_bytes);
}

// The forward pass in training, which also moves the running statistics.
class TrainingPlan : public PrimitivePlan {
 public:
  TrainingPlan(const CpuContext& context, const Forward::primitive_desc& desc, const BatchNormParams& p,
               const Descs& inputs, Descs plan_outputs)
      : PrimitivePlan(context, Forward(desc), desc.scratchpad_desc(), inputs, std::move(plan_outputs)),
        channels_(inputs[0].shape[1]),
        relu_(p.relu != 0),
        momentum_(p.momentum) {
    // The biased batch variance normalises, the unbiased one enters the running variance.
    const int64_t count = NumElements(inputs[0].shape) / channels_;
    unbias_ = count > 1 ? static_cast<float>(static_cast<double>(count) / static_cast<double>(count - 1)) : 1.0f;
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    PrimitivePlan::Run(inputs, out, scratch);
    const float *mean = static_cast<const float*>(out[1]), *variance = static_cast<const float*>(out[2]);
    if (relu_) KeepNaNOfStatistics(mean, variance, channels_, out[0], outputs[0].bytes);
    Move(static_cast<float*>(inputs[3]), mean, 1.0f);
    Move(static_cast<float*>(inputs[4]), variance, unbias_);
  }

 private:
  void Move(float* running, const float* batch, float factor) const {
    for (int64_t c = 0; c < channels_; ++c) running[c] = momentum_ * running[c] + (1 - momentum_) * (factor * batch[c]);
  }

  int64_t channels_;
  bool relu_;
  float momentum_, unbias_;
};

// The forward pass with the running statistics.
class InferencePlan : public PrimitivePlan {
 public:
  InferencePlan(const CpuContext& context, const Forward::primitive_desc& desc, const BatchNormParams& p,
                const Descs& inputs, Descs plan_outputs)
      : PrimitivePlan(context, Forward(desc), desc.scratchpad_desc(), inputs, std::move(plan_outputs)),
        channels_(inputs[0].shape[1]),
        relu_(p.relu != 0) {}

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    PrimitivePlan::Run(inputs, out, scratch);
    const float *mean = static_cast<const float*>(inputs[3]), *variance = static_cast<const float*>(inputs[4]);
    if (relu_) KeepNaNOfStatistics(mean, variance, channels_, out[0], outputs[0].bytes);
  }

 private:
  int64_t channels_;
  bool relu_;
};

PlanPtr PrepareTraining(const CpuContext& context, const BatchNormParams& p, const Descs& inputs, Descs outputs) {
  const auto desc = ForwardDesc(context, p, inputs[0], dnnl::prop_kind::forward_training);
  auto plan = std::make_shared<TrainingPlan>(context, desc, p, inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->AddInput(DNNL_ARG_SCALE, 1, PlainMemoryDesc(DType::kFloat32, inputs[1].shape));
  plan->AddInput(DNNL_ARG_SHIFT, 2, PlainMemoryDesc(DType::kFloat32, inputs[2].shape));
  plan->AddOutput(DNNL_ARG_DST, 0, desc.dst_desc());
  plan->AddOutput(DNNL_ARG_MEAN, 1, desc.mean_desc());
  plan->AddOutput(DNNL_ARG_VARIANCE, 2, desc.variance_desc());
  if (p.relu) {
    plan->AddWorkspaceOutput(DNNL_ARG_WORKSPACE, 3, desc.workspace_desc(),
                             std::make_shared<WorkspaceLayout>(desc.src_desc(), desc.dst_desc()));
  }
  return plan;
}

PlanPtr PrepareInference(const CpuContext& context, const BatchNormParams& p, const Descs& inputs, Descs outputs) {
  const auto desc = ForwardDesc(context, p, inputs[0], dnnl::prop_kind::forward_inference);
  auto plan = std::make_shared<InferencePlan>(context, desc, p, inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->AddInput(DNNL_ARG_SCALE, 1, PlainMemoryDesc(DType::kFloat32, inputs[1].shape));
  plan->AddInput(DNNL_ARG_SHIFT, 2, PlainMemoryDesc(DType::kFloat32, inputs[2].shape));
  plan->AddInput(DNNL_ARG_MEAN, 3, desc.mean_desc());
  plan->AddInput(DNNL_ARG_VARIANCE, 4, desc.variance_desc());
  plan->AddOutput(DNNL_ARG_DST, 0, desc.dst_desc());
  return plan;
}

// The mask holds one bit or one byte a value, in the order of x's layout: it must be that of this very x.
void CheckMask(const TensorDesc& mask, const MemoryDesc& src, size_t bytes) {
  const auto* forward = dynamic_cast<const WorkspaceLayout*>(mask.layout.get());
  if (forward && forward->window().empty() && forward->src() == src && mask.bytes == bytes) return;
  throw Error(ErrorCode::kNative, "batchNormBackward expected the x and the mask of one batchNorm.");
}

}  // namespace

PlanPtr PrepareBatchNorm(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& p = std::get<BatchNormParams>(op.params);
  if (SuitsBlockedBatchNorm(inputs[0])) return MakeBlockedBatchNorm(context, p, inputs, std::move(outputs), false);
  return p.training ? PrepareTraining(context, p, inputs, std::move(outputs))
                    : PrepareInference(context, p, inputs, std::move(outputs));
}

PlanPtr PrepareBatchNormBackward(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& p = std::get<BatchNormParams>(op.params);
  const TensorDesc& x = inputs[0];
  if (SuitsBlockedBatchNorm(x)) return MakeBlockedBatchNormBackward(context, p, inputs, std::move(outputs), false);
  const MemoryDesc image = ImageDesc(x);
  const MemoryDesc per_channel = PlainMemoryDesc(DType::kFloat32, {x.shape[1]});
  const auto hint = ForwardDesc(context, p, x, dnnl::prop_kind::forward_training);
  const auto desc = MakeBatchNormBackward(context.engine, UserScratchpad(), hint, image, p.epsilon, FlagsOf(p));
  auto plan =
      std::make_shared<PrimitivePlan>(context, Backward(desc), desc.scratchpad_desc(), inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, image);
  plan->AddInput(DNNL_ARG_DIFF_DST, 1, image);
  plan->AddInput(DNNL_ARG_SCALE, 2, per_channel);
  plan->AddInput(DNNL_ARG_MEAN, 4, per_channel);
  plan->AddInput(DNNL_ARG_VARIANCE, 5, per_channel);
  // The gradients do not depend on beta; oneDNN 2.6 wants it all the same, 3.7 refuses it.
  const int inputs_without_shift = p.relu ? 6 : 5;
  if (InputCount(desc) > inputs_without_shift) plan->AddInput(DNNL_ARG_SHIFT, 3, per_channel);
  if (p.relu) {
    CheckMask(inputs[6], image, hint.workspace_desc().get_size());
    plan->AddWorkspaceInput(DNNL_ARG_WORKSPACE, 6, hint.workspace_desc());
  }
  plan->AddOutput(DNNL_ARG_DIFF_SRC, 0, image);
  plan->AddOutput(DNNL_ARG_DIFF_SCALE, 1, per_channel);
  plan->AddOutput(DNNL_ARG_DIFF_SHIFT, 2, per_channel);
  return plan;
}

}  // namespace residua::cpu
