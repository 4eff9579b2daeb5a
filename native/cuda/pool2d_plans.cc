// The two ways in which pooling ops run, and the form of what max pooling keeps for its backward pass.
#include "cuda/pool2d_plans.h"

namespace residua::cuda {
namespace {

// The backward pass must be of the same window over the same x.
std::string TagOf(ArgmaxForm form, const Pool2dParams& p, const Shape& x) {
  return std::string("positions of maxima, ") + (form == ArgmaxForm::kCudnn ? "cuDNN" : "kernel") + ", window " +
         ToString({p.pool_h, p.pool_w}) + ", strides " + ToString({p.stride_h, p.stride_w}) + ", padding " +
         ToString({p.pad_h, p.pad_w}) + ", x " + ToString(x);
}

}  // namespace

Pool2dGraphPlan::Pool2dGraphPlan(const CudaContext& context, const Descs& inputs, const Descs& wanted,
                                 Descs plan_outputs, Pool2dGraph graph, std::shared_ptr<GraphPlan> plan)
    : ConvertingPlan(context, inputs, wanted, std::move(plan_outputs)),
      graph_(std::move(graph)),
      plan_(std::move(plan)) {
  ReserveScratch(plan_->workspace_bytes());
}

void Pool2dGraphPlan::LaunchConverted(const LaunchArgs& args) {
  std::vector<std::pair<Graph::TensorId, void*>> pointers;
  for (size_t i = 0; i < graph_.inputs.size(); ++i) pointers.push_back({graph_.inputs[i], args.inputs[i]});
  for (size_t i = 0; i < graph_.outputs.size(); ++i) pointers.push_back({graph_.outputs[i], args.outputs[i]});
  plan_->Execute(pointers, args.scratch);
}

Pool2dKernelPlan::Pool2dKernelPlan(const CudaContext& context, const Descs& inputs, const Descs& wanted,
                                   Descs plan_outputs, const Pool2dView& view, LaunchPool2d launch)
    : ConvertingPlan(context, inputs, wanted, std::move(plan_outputs)), view_(view), launch_(launch) {}

void Pool2dKernelPlan::LaunchConverted(const LaunchArgs& args) { launch_(context(), view_, args.inputs, args.outputs); }

void SetArgmaxForm(TensorDesc* argmax, ArgmaxForm form, const Pool2dParams& params, const Shape& x) {
  const size_t position = form == ArgmaxForm::kCudnn ? 1 : PositionBytes(params);
  argmax->layout = std::make_shared<OpaqueLayout>(TagOf(form, params, x));
  argmax->bytes = static_cast<size_t>(NumElements(argmax->shape)) * position;
}

ArgmaxForm ArgmaxFormOf(const TensorDesc& argmax, const Pool2dParams& params, const Shape& x) {
  const auto* opaque = dynamic_cast<const OpaqueLayout*>(argmax.layout.get());
  for (ArgmaxForm form : {ArgmaxForm::kCudnn, ArgmaxForm::kKernel}) {
    if (opaque != nullptr && opaque->tag() == TagOf(form, params, x)) return form;
  }
  throw Error(ErrorCode::kNative,
              "maxPool2dBackward expected the argmax that its own maxPool2d gave (" +
                  TagOf(ArgmaxForm::kKernel, params, x) + "), got " +
                  (opaque != nullptr ? "bytes of another op (" + opaque->tag() + ")." : "a tensor of values."));
}

}  // namespace residua::cuda
