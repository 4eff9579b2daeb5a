// Gradients of max and average pooling: dy [n, c, oh, ow] -> dx [n, c, h, w], by whoever ran the forward pass.
#include "cuda/pool2d_plans.h"

namespace residua::cuda {
namespace {

// dy in NHWC; the positions of the maxima as they are.
Descs WantedInputs(const Descs& inputs) {
  Descs wanted = inputs;
  wanted[0] = NhwcLike(inputs[0]);
  return wanted;
}

// One window an image: each element of dx comes from one of dy, which the kernel does as well as any engine could.
bool IsOneWindow(const Shape& dy) { return dy[2] == 1 && dy[3] == 1; }

}  // namespace

PlanPtr PrepareMaxPool2dBackward(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& params = std::get<Pool2dParams>(op.params);
  const TensorDesc& dy = inputs[0];
  const Shape x_shape = outputs[0].shape;
  SetNhwc(&outputs[0]);
  if (ArgmaxFormOf(inputs[1], params, x_shape) == ArgmaxForm::kKernel) {
    return std::make_shared<Pool2dKernelPlan>(context, inputs, WantedInputs(inputs), std::move(outputs),
                                              ViewOf(dy.dtype, params, x_shape, dy.shape), LaunchMaxPool2dBackward);
  }
  Pool2dGraph graph = MakeMaxPool2dBackward(dy.dtype, params, x_shape, dy.shape);
  std::string why;
  std::shared_ptr<GraphPlan> plan = context.planner->Plan(graph.graph, &why);
  if (plan == nullptr) {
    throw Error(ErrorCode::kNative,
                "maxPool2dBackward expected cuDNN's engine, as maxPool2d found it, got none: " + why);
  }
  return std::make_shared<Pool2dGraphPlan>(context, inputs, WantedInputs(inputs), std::move(outputs), std::move(graph),
                                           std::move(plan));
}

PlanPtr PrepareAvgPool2dBackward(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& params = std::get<Pool2dParams>(op.params);
  const TensorDesc& dy = inputs[0];
  const Shape x_shape = outputs[0].shape;
  SetNhwc(&outputs[0]);
  if (!IsOneWindow(dy.shape)) {
    Pool2dGraph graph = MakeAvgPool2dBackward(dy.dtype, params, x_shape, dy.shape);
    if (std::shared_ptr<GraphPlan> plan = context.planner->Plan(graph.graph)) {
      return std::make_shared<Pool2dGraphPlan>(context, inputs, WantedInputs(inputs), std::move(outputs),
                                               std::move(graph), std::move(plan));
    }
  }
  return std::make_shared<Pool2dKernelPlan>(context, inputs, WantedInputs(inputs), std::move(outputs),
                                            ViewOf(dy.dtype, params, x_shape, dy.shape), LaunchAvgPool2dBackward);
}

}  // namespace residua::cuda
