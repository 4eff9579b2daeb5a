// Convolution: x [n, ci, h, w], w [co, ci / groups, kh, kw], b [co] -> y [n, co, oh, ow]; with a sum and ReLU on
// request.
#include "cpu/conv2d_geometry.h"
#include "cpu/keep_nan.h"
#include "cpu/primitive_plan.h"

namespace residua::cpu {
namespace {

using Forward = dnnl::convolution_forward;

// The form in which the weights would best be kept; bytes 0 where theirs is as good. Only blocked formats of the
// weights' own shape are kept: Winograd's transformed weights and split groups are made anew on each run.
TensorDesc PreferredWeights(const TensorDesc& w, const MemoryDesc& wanted) {
  TensorDesc preferred;
  if (!w.plain() || !BlockingOf(wanted).valid || IsPlainInMemory(wanted)) return preferred;
  if (DimsOf(wanted) != Dims(w.shape.begin(), w.shape.end())) return preferred;
  preferred = w;
  SetLayout(&preferred, wanted);
  return preferred;
}

// What is done with the result while it is in registers: the sum with what lies in y already, ReLU.
dnnl::primitive_attr AttributesOf(const Conv2dParams& p) {
  dnnl::primitive_attr attributes = UserScratchpad();
  dnnl::post_ops after;
  if (p.has_residual) after.append_sum(1.0f);
  if (p.relu) AppendRelu(&after);
  attributes.set_post_ops(after);
  return attributes;
}

// A convolution with ReLU as post-op. Weights that have become NaN, which those of BatchNorm make of NaN statistics,
// come with a bias that is.
class ReluPlan : public PrimitivePlan {
 public:
  using PrimitivePlan::PrimitivePlan;
  void Run(void* const* inputs, void* const* out, void* scratch) override {
    PrimitivePlan::Run(inputs, out, scratch);
    KeepNaN(static_cast<const float*>(inputs[2]), outputs[0].shape[1], out[0], outputs[0].bytes);
  }
};

template <class T>
std::shared_ptr<PrimitivePlan> MakePlan(const CpuContext& context, const Forward::primitive_desc& desc,
                                        const Descs& inputs, Descs plan_outputs) {
  return std::make_shared<T>(context, Forward(desc), desc.scratchpad_desc(), inputs, std::move(plan_outputs));
}

// Conv2d and Conv2dFused, whose residual is the last input.
PlanPtr PrepareForward(const CpuContext& context, const Conv2dParams& p, const Descs& inputs, Descs outputs,
                       bool has_bias) {
  const TensorDesc &x = inputs[0], &w = inputs[1];
  const ConvGeometry whole(p, x.shape, w.shape, outputs[0].shape);
  const ConvGeometry geometry = whole.LiveTaps();
  const MemoryDesc bias = has_bias ? PlainMemoryDesc(inputs[2].dtype, inputs[2].shape) : MemoryDesc();
  // Also in inference: Winograd's convolution then takes blocked weights, as the direct one does. As forward_inference
  // it would want them transformed before, which costs more than it saves unless somebody keeps them so.
  constexpr dnnl::prop_kind kKind = dnnl::prop_kind::forward_training;

  const auto make_for = [&](const ConvGeometry& g, dnnl::algorithm algorithm) {
    return MakeDesc<Forward>(context.engine, AttributesOf(p), kKind, algorithm, AnyMemoryDesc(x.dtype, g.x),
                             AnyMemoryDesc(w.dtype, g.w), bias, AnyMemoryDesc(outputs[0].dtype, g.y), g.strides,
                             g.dilation, g.padding, g.padding_after);
  };
  const auto make = [&](dnnl::algorithm algorithm) { return make_for(geometry, algorithm); };
  const auto arguments_of = [&](const Forward::primitive_desc& desc) {
    return std::vector<std::pair<int, MemoryDesc>>{{DNNL_ARG_SRC, desc.src_desc()},
                                                   {DNNL_ARG_WEIGHTS, desc.weights_desc()},
                                                   {DNNL_ARG_BIAS, bias},
                                                   {DNNL_ARG_DST, desc.dst_desc()}};
  };
  const bool is_float32 = x.dtype == DType::kFloat32;
  const char* name = p.relu || p.has_residual ? "conv2dFused" : "conv2d";
  const auto desc = FastestConvolution(context, name, geometry, is_float32, make, arguments_of);
  // The form of the whole weights. In a blocked one all elements of a tap lie together.
  const MemoryDesc whole_weights = geometry.HasAllTaps(whole)
                                       ? desc.weights_desc()
                                       : make_for(whole, dnnl::algorithm::convolution_direct).weights_desc();

  const bool checks_bias = p.relu && has_bias && inputs[2].dtype == DType::kFloat32;
  const auto plan = checks_bias ? MakePlan<ReluPlan>(context, desc, inputs, std::move(outputs))
                                : MakePlan<PrimitivePlan>(context, desc, inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->preferred_inputs.resize(inputs.size());
  plan->preferred_inputs[1] = PreferredWeights(w, whole_weights);
  if (geometry.HasAllTaps(whole))
    plan->AddInput(DNNL_ARG_WEIGHTS, 1, desc.weights_desc());
  else
    plan->AddPartInput(DNNL_ARG_WEIGHTS, 1, geometry.TapOffsets(), desc.weights_desc());
  if (has_bias) plan->AddInput(DNNL_ARG_BIAS, 2, bias);
  plan->AddOutput(DNNL_ARG_DST, 0, desc.dst_desc());
  if (p.has_residual) plan->AddSummand(inputs.size() - 1, 0);
  return plan;
}

}  // namespace

PlanPtr PrepareConv2d(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  Conv2dParams p = std::get<Conv2dParams>(op.params);
  p.relu = p.has_residual = 0;  // belong to Conv2dFused
  return PrepareForward(context, p, inputs, std::move(outputs), inputs.size() > 2);
}

PlanPtr PrepareConv2dFused(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareForward(context, std::get<Conv2dParams>(op.params), inputs, std::move(outputs), true);
}

}  // namespace residua::cpu
