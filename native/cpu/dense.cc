// The dense layer and its gradients: x [n, in], w [out, in], b [out], y [n, out]. Everything stays plain: these
// products are a thousandth of a ResNet's work, and plain weights need no reorders.
#include "cpu/primitive_plan.h"

namespace residua::cpu {
namespace {

using Forward = dnnl::inner_product_forward;
using BackwardData = dnnl::inner_product_backward_data;
using BackwardWeights = dnnl::inner_product_backward_weights;

MemoryDesc Plain(const TensorDesc& desc) { return PlainMemoryDesc(desc.dtype, desc.shape); }

// oneDNN makes backward descriptors from the forward one. `dtype` is that of all three.
Forward::primitive_desc ForwardHint(const CpuContext& context, DType dtype, const Shape& x, const Shape& w,
                                    const Shape& y) {
  return MakeDesc<Forward>(context.engine, UserScratchpad(), dnnl::prop_kind::forward_training,
                           PlainMemoryDesc(dtype, x), PlainMemoryDesc(dtype, w), PlainMemoryDesc(dtype, y));
}

}  // namespace

PlanPtr PrepareDense(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  const bool has_bias = inputs.size() > 2;
  const MemoryDesc bias = has_bias ? Plain(inputs[2]) : MemoryDesc();
  const auto desc = MakeDesc<Forward>(context.engine, UserScratchpad(), dnnl::prop_kind::forward_training,
                                      Plain(inputs[0]), Plain(inputs[1]), bias, Plain(outputs[0]));
  auto plan =
      std::make_shared<PrimitivePlan>(context, Forward(desc), desc.scratchpad_desc(), inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->AddInput(DNNL_ARG_WEIGHTS, 1, desc.weights_desc());
  if (has_bias) plan->AddInput(DNNL_ARG_BIAS, 2, bias);
  plan->AddOutput(DNNL_ARG_DST, 0, desc.dst_desc());
  return plan;
}

PlanPtr PrepareDenseBackwardData(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  const TensorDesc &dy = inputs[0], &w = inputs[1], &dx = outputs[0];
  const auto hint = ForwardHint(context, dy.dtype, dx.shape, w.shape, dy.shape);
  const auto desc =
      MakeDescWithHint<BackwardData>(context.engine, UserScratchpad(), hint, Plain(dx), Plain(w), Plain(dy));
  auto plan =
      std::make_shared<PrimitivePlan>(context, BackwardData(desc), desc.scratchpad_desc(), inputs, std::move(outputs));
  plan->AddInput(DNNL_ARG_DIFF_DST, 0, desc.diff_dst_desc());
  plan->AddInput(DNNL_ARG_WEIGHTS, 1, desc.weights_desc());
  plan->AddOutput(DNNL_ARG_DIFF_SRC, 0, desc.diff_src_desc());
  return plan;
}

PlanPtr PrepareDenseBackwardWeights(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  const TensorDesc &x = inputs[0], &dy = inputs[1], &dw = outputs[0];
  const bool has_bias = outputs.size() > 1;
  const MemoryDesc diff_bias = has_bias ? Plain(outputs[1]) : MemoryDesc();
  const auto hint = ForwardHint(context, x.dtype, x.shape, dw.shape, dy.shape);
  const auto desc = MakeDescWithHint<BackwardWeights>(context.engine, UserScratchpad(), hint, Plain(x), Plain(dw),
                                                      diff_bias, Plain(dy));
  auto plan = std::make_shared<PrimitivePlan>(context, BackwardWeights(desc), desc.scratchpad_desc(), inputs,
                                              std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->AddInput(DNNL_ARG_DIFF_DST, 1, desc.diff_dst_desc());
  plan->AddOutput(DNNL_ARG_DIFF_WEIGHTS, 0, desc.diff_weights_desc());
  if (has_bias) plan->AddOutput(DNNL_ARG_DIFF_BIAS, 1, diff_bias);
  return plan;
}

}  // namespace residua::cpu
