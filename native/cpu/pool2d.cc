// Max and average pooling over x [n, c, h, w] and their gradients, in whatever layout x comes.
#include "cpu/channel_blocks.h"
#include "cpu/primitive_plan.h"

namespace residua::cpu {
namespace {

using Tag = dnnl::memory::format_tag;

struct Window {
  Dims kernel, strides, padding;  // [h, w]
  explicit Window(const Pool2dParams& p)
      : kernel{p.pool_h, p.pool_w}, strides{p.stride_h, p.stride_w}, padding{p.pad_h, p.pad_w} {}
  Dims AsList() const { return {kernel[0], kernel[1], strides[0], strides[1], padding[0], padding[1]}; }
};

dnnl::algorithm AverageOf(const Pool2dParams& p) {
  return p.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                             : dnnl::algorithm::pooling_avg_exclude_padding;
}

// Padding on the right is as on the left: with sizes rounded down, oneDNN leaves out what no window reaches.
dnnl::pooling_forward::primitive_desc ForwardDesc(const CpuContext& context, dnnl::algorithm algorithm,
                                                  const Window& window, const MemoryDesc& src, const MemoryDesc& dst) {
  return MakePoolForward(context.engine, UserScratchpad(), algorithm, src, dst, window.strides, window.kernel,
                         window.padding);
}

dnnl::pooling_backward::primitive_desc BackwardDesc(const CpuContext& context, dnnl::algorithm algorithm,
                                                    const Window& window, const MemoryDesc& src,
                                                    const MemoryDesc& dst) {
  const auto hint = ForwardDesc(context, algorithm, window, src, dst);
  return MakePoolBackward(context.engine, UserScratchpad(), hint, algorithm, src, dst, window.strides, window.kernel,
                          window.padding);
}

std::shared_ptr<PrimitivePlan> ForwardPlan(const CpuContext& context, const dnnl::pooling_forward::primitive_desc& desc,
                                           const Descs& inputs, Descs outputs) {
  auto plan = std::make_shared<PrimitivePlan>(context, dnnl::pooling_forward(desc), desc.scratchpad_desc(), inputs,
                                              std::move(outputs));
  plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
  plan->AddOutput(DNNL_ARG_DST, 0, desc.dst_desc());
  return plan;
}

std::shared_ptr<PrimitivePlan> BackwardPlan(const CpuContext& context,
                                            const dnnl::pooling_backward::primitive_desc& desc, const Descs& inputs,
                                            Descs outputs) {
  auto plan = std::make_shared<PrimitivePlan>(context, dnnl::pooling_backward(desc), desc.scratchpad_desc(), inputs,
                                              std::move(outputs));
  plan->AddInput(DNNL_ARG_DIFF_DST, 0, desc.diff_dst_desc());
  plan->AddOutput(DNNL_ARG_DIFF_SRC, 0, desc.diff_src_desc());
  return plan;
}

// The usual name of an image layout; plain (nchw) for others.
Tag TagOf(const MemoryDesc& desc) {
  for (Tag tag : {Tag::nchw, Tag::nChw16c, Tag::nChw8c, Tag::nChw4c, Tag::nhwc}) {
    if (MemoryDesc(DimsOf(desc), DataTypeOf(desc), tag) == desc) return tag;
  }
  return Tag::nchw;
}

}  // namespace

PlanPtr PrepareMaxPool2d(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const Window window(std::get<Pool2dParams>(op.params));
  const TensorDesc& x = inputs[0];
  const auto desc = ForwardDesc(context, dnnl::algorithm::pooling_max, window, MemoryDescOf(x),
                                AnyMemoryDesc(x.dtype, outputs[0].shape));
  auto plan = ForwardPlan(context, desc, inputs, std::move(outputs));
  plan->AddWorkspaceOutput(DNNL_ARG_WORKSPACE, 1, desc.workspace_desc(),
                           std::make_shared<WorkspaceLayout>(desc.src_desc(), desc.dst_desc(), window.AsList()));
  return plan;
}

PlanPtr PrepareMaxPool2dBackward(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const Window window(std::get<Pool2dParams>(op.params));
  const auto* forward = dynamic_cast<const WorkspaceLayout*>(inputs[1].layout.get());
  const bool matches = forward && DimsOf(forward->src()) == outputs[0].shape &&
                       DimsOf(forward->dst()) == inputs[0].shape &&
                       DataTypeOf(forward->dst()) == DnnlType(inputs[0].dtype) && forward->window() == window.AsList();
  if (!matches) throw Error(ErrorCode::kNative, "maxPool2dBackward expected the argmax that its own maxPool2d gave.");
  const auto desc = BackwardDesc(context, dnnl::algorithm::pooling_max, window, forward->src(), forward->dst());
  auto plan = BackwardPlan(context, desc, inputs, std::move(outputs));
  plan->AddWorkspaceInput(DNNL_ARG_WORKSPACE, 1, desc.workspace_desc());
  return plan;
}

PlanPtr PrepareAvgPool2d(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& p = std::get<Pool2dParams>(op.params);
  const TensorDesc& x = inputs[0];
  const auto desc =
      ForwardDesc(context, AverageOf(p), Window(p), MemoryDescOf(x), AnyMemoryDesc(x.dtype, outputs[0].shape));
  return ForwardPlan(context, desc, inputs, std::move(outputs));
}

// dx takes the layout of dy; where dy is one pixel, and so both plain and in blocks, that in blocks, which is faster.
PlanPtr PrepareAvgPool2dBackward(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& p = std::get<Pool2dParams>(op.params);
  const TensorDesc &dy = inputs[0], &dx = outputs[0];
  const Tag tag = TagOf(BlockedIfSameBytes(MemoryDescOf(dy)));
  const auto desc = BackwardDesc(context, AverageOf(p), Window(p), MemoryDesc(dx.shape, DnnlType(dx.dtype), tag),
                                 MemoryDesc(dy.shape, DnnlType(dy.dtype), tag));
  return BackwardPlan(context, desc, inputs, std::move(outputs));
}

}  // namespace residua::cpu
