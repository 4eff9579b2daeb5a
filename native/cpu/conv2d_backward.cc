// The convolution's gradients: of the data (dy, w -> dx) and of the weights (x, dy -> dw, db).
#include "cpu/conv2d_geometry.h"
#include "cpu/primitive_plan.h"

namespace residua::cpu {
namespace {

using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;
using Arguments = std::vector<std::pair<int, MemoryDesc>>;

// oneDNN makes backward descriptors from the forward one.
dnnl::convolution_forward::primitive_desc ForwardHint(const CpuContext& context, const ConvGeometry& geometry,
                                                      DType dtype) {
  return MakeDesc<dnnl::convolution_forward>(
      context.engine, UserScratchpad(), dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
      AnyMemoryDesc(dtype, geometry.x), AnyMemoryDesc(dtype, geometry.w), AnyMemoryDesc(dtype, geometry.y),
      geometry.strides, geometry.dilation, geometry.padding, geometry.padding_after);
}

}  // namespace

PlanPtr PrepareConv2dBackwardData(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const TensorDesc &dy = inputs[0], &w = inputs[1], &dx = outputs[0];
  const ConvGeometry whole(std::get<Conv2dParams>(op.params), dx.shape, w.shape, dy.shape);
  const ConvGeometry geometry = whole.LiveTaps();
  const auto hint = ForwardHint(context, geometry, dy.dtype);
  const auto make = [&](dnnl::algorithm algorithm) {
    return MakeDescWithHint<BackwardData>(context.engine, UserScratchpad(), hint, algorithm,
                                          AnyMemoryDesc(dx.dtype, geometry.x), AnyMemoryDesc(w.dtype, geometry.w),
                                          AnyMemoryDesc(dy.dtype, geometry.y), geometry.strides, geometry.dilation,
                                          geometry.padding, geometry.padding_after);
  };
  const auto arguments_of = [](const BackwardData::primitive_desc& desc) {
    return Arguments{{DNNL_ARG_DIFF_DST, desc.diff_dst_desc()},
                     {DNNL_ARG_WEIGHTS, desc.weights_desc()},
                     {DNNL_ARG_DIFF_SRC, desc.diff_src_desc()}};
  };
  const bool is_float32 = dy.dtype == DType::kFloat32;
  const auto desc = FastestConvolution(context, "conv2dBackwardData", geometry, is_float32, make, arguments_of);

  auto plan =
      std::make_shared<PrimitivePlan>(context, BackwardData(desc), desc.scratchpad_desc(), inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_DIFF_DST, 0, desc.diff_dst_desc());
  if (geometry.HasAllTaps(whole))
    plan->AddInput(DNNL_ARG_WEIGHTS, 1, desc.weights_desc());
  else
    plan->AddPartInput(DNNL_ARG_WEIGHTS, 1, geometry.TapOffsets(), desc.weights_desc());
  plan->AddOutput(DNNL_ARG_DIFF_SRC, 0, desc.diff_src_desc());
  return plan;
}

PlanPtr PrepareConv2dBackwardWeights(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const TensorDesc &x = inputs[0], &dy = inputs[1], &dw = outputs[0];
  const bool has_bias = outputs.size() > 1;
  const ConvGeometry whole(std::get<Conv2dParams>(op.params), x.shape, dw.shape, dy.shape);
  const ConvGeometry geometry = whole.LiveTaps();
  const MemoryDesc diff_bias = has_bias ? PlainMemoryDesc(outputs[1].dtype, outputs[1].shape) : MemoryDesc();
  const auto make_for = [&](const ConvGeometry& g, dnnl::algorithm algorithm) {
    return MakeDescWithHint<BackwardWeights>(context.engine, UserScratchpad(), ForwardHint(context, g, x.dtype),
                                             algorithm, AnyMemoryDesc(x.dtype, g.x), AnyMemoryDesc(dw.dtype, g.w),
                                             diff_bias, AnyMemoryDesc(dy.dtype, g.y), g.strides, g.dilation, g.padding,
                                             g.padding_after);
  };
  const auto make = [&](dnnl::algorithm algorithm) { return make_for(geometry, algorithm); };
  const auto arguments_of = [&](const BackwardWeights::primitive_desc& desc) {
    return Arguments{{DNNL_ARG_SRC, desc.src_desc()},
                     {DNNL_ARG_DIFF_DST, desc.diff_dst_desc()},
                     {DNNL_ARG_DIFF_WEIGHTS, desc.diff_weights_desc()},
                     {DNNL_ARG_DIFF_BIAS, diff_bias}};
  };
  const bool is_float32 = x.dtype == DType::kFloat32;
  const auto desc = FastestConvolution(context, "conv2dBackwardWeights", geometry, is_float32, make, arguments_of);

  const MemoryDesc whole_weights = geometry.HasAllTaps(whole)
                                       ? desc.diff_weights_desc()
                                       : make_for(whole, dnnl::algorithm::convolution_direct).diff_weights_desc();

  auto plan = std::make_shared<PrimitivePlan>(context, BackwardWeights(desc), desc.scratchpad_desc(), inputs,
                                              std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->AddInput(DNNL_ARG_DIFF_DST, 1, desc.diff_dst_desc());
  if (geometry.HasAllTaps(whole)) {
    plan->AddOutput(DNNL_ARG_DIFF_WEIGHTS, 0, desc.diff_weights_desc());
  } else {
    plan->AddPartOutput(DNNL_ARG_DIFF_WEIGHTS, 0, geometry.TapOffsets(), desc.diff_weights_desc(), whole_weights);
  }
  if (has_bias) plan->AddOutput(DNNL_ARG_DIFF_BIAS, 1, diff_bias);
  return plan;
}

}  // namespace residua::cpu
