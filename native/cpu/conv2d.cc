// Convolution: x [n, ci, h, w], w [co, ci / groups, kh, kw], b [co] -> y [n, co, oh, ow].
#include "cpu/conv2d_geometry.h"
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

}  // namespace

PlanPtr PrepareConv2d(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const TensorDesc &x = inputs[0], &w = inputs[1];
  const bool has_bias = inputs.size() > 2;
  const ConvGeometry whole(std::get<Conv2dParams>(op.params), x.shape, w.shape, outputs[0].shape);
  const ConvGeometry geometry = whole.LiveTaps();
  const MemoryDesc bias = has_bias ? PlainMemoryDesc(inputs[2].dtype, inputs[2].shape) : MemoryDesc();

  const auto make_for = [&](const ConvGeometry& g, dnnl::algorithm algorithm) {
    return MakeDesc<Forward>(context.engine, UserScratchpad(), dnnl::prop_kind::forward_training, algorithm,
                             AnyMemoryDesc(x.dtype, g.x), AnyMemoryDesc(w.dtype, g.w), bias,
                             AnyMemoryDesc(outputs[0].dtype, g.y), g.strides, g.dilation, g.padding, g.padding_after);
  };
  const auto make = [&](dnnl::algorithm algorithm) { return make_for(geometry, algorithm); };
  const auto arguments_of = [&](const Forward::primitive_desc& desc) {
    return std::vector<std::pair<int, MemoryDesc>>{{DNNL_ARG_SRC, desc.src_desc()},
                                                   {DNNL_ARG_WEIGHTS, desc.weights_desc()},
                                                   {DNNL_ARG_BIAS, bias},
                                                   {DNNL_ARG_DST, desc.dst_desc()}};
  };
  const bool is_float32 = x.dtype == DType::kFloat32;
  const auto desc = FastestConvolution(context, "conv2d", geometry, is_float32, make, arguments_of);

  // The form of the whole weights. In a blocked one all elements of a tap lie together.
  const MemoryDesc whole_weights = geometry.HasAllTaps(whole)
                                       ? desc.weights_desc()
                                       : make_for(whole, dnnl::algorithm::convolution_direct).weights_desc();

  auto plan =
      std::make_shared<PrimitivePlan>(context, Forward(desc), desc.scratchpad_desc(), inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->preferred_inputs.resize(inputs.size());
  plan->preferred_inputs[1] = PreferredWeights(w, whole_weights);
  if (geometry.HasAllTaps(whole))
    plan->AddInput(DNNL_ARG_WEIGHTS, 1, desc.weights_desc());
  else
    plan->AddPartInput(DNNL_ARG_WEIGHTS, 1, geometry.TapOffsets(), desc.weights_desc());
  if (has_bias) plan->AddInput(DNNL_ARG_BIAS, 2, bias);
  plan->AddOutput(DNNL_ARG_DST, 0, desc.dst_desc());
  return plan;
}

}  // namespace residua::cpu
