// Max and average pooling over x [n, c, h, w] -> y [n, c, oh, ow]. Through cuDNN's resampling where it has an engine,
// else kernels of our own. NaN is never a maximum, as on the CPU. The mean of whole images is a sum over axes 2 and 3,
// which splits the image among threads.
#include "cuda/pool2d_plans.h"
#include "cuda/sum.h"

namespace residua::cuda {
namespace {

class GlobalAveragePlan : public CudaPlan {
 public:
  GlobalAveragePlan(const CudaContext& context, const TensorDesc& x, Descs plan_outputs)
      : CudaPlan(context), mean_(x, 1 << 2 | 1 << 3, x.dtype, true) {
    outputs = std::move(plan_outputs);
    TakeScratch(mean_.scratch_bytes());  // all of it, from the beginning
  }

  void Launch(const LaunchArgs& args) override {
    mean_.Launch(context().stream, args.inputs[0], args.outputs[0], args.scratch);
  }

 private:
  AxisSum mean_;
};

// Whether there is one window, of the whole image and nothing more.
bool IsGlobal(const Pool2dParams& p, const Shape& x) {
  return p.pool_h == x[2] && p.pool_w == x[3] && p.pad_h == 0 && p.pad_w == 0;
}

}  // namespace

// cuDNN pools only where it can also go back: what it keeps means nothing to the kernels.
PlanPtr PrepareMaxPool2d(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& params = std::get<Pool2dParams>(op.params);
  const TensorDesc& x = inputs[0];
  const Shape y_shape = outputs[0].shape;
  SetNhwc(&outputs[0]);
  if (IndexFitsByte(params)) {
    Pool2dGraph graph = MakeMaxPool2d(x.dtype, params, x.shape, y_shape);
    Pool2dGraph backward = MakeMaxPool2dBackward(x.dtype, params, x.shape, y_shape);
    const bool can_go_back = context.planner->Plan(backward.graph) != nullptr;
    std::shared_ptr<GraphPlan> plan = context.planner->Plan(graph.graph);
    if (plan != nullptr && can_go_back) {
      SetArgmaxForm(&outputs[1], ArgmaxForm::kCudnn, params, x.shape);
      return std::make_shared<Pool2dGraphPlan>(context, inputs, ImagesNhwc(inputs), std::move(outputs),
                                               std::move(graph), std::move(plan));
    }
  }
  SetArgmaxForm(&outputs[1], ArgmaxForm::kKernel, params, x.shape);
  return std::make_shared<Pool2dKernelPlan>(context, inputs, ImagesNhwc(inputs), std::move(outputs),
                                            ViewOf(x.dtype, params, x.shape, y_shape), LaunchMaxPool2d);
}

PlanPtr PrepareAvgPool2d(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& params = std::get<Pool2dParams>(op.params);
  const TensorDesc& x = inputs[0];
  if (IsGlobal(params, x.shape)) return std::make_shared<GlobalAveragePlan>(context, x, std::move(outputs));
  const Shape y_shape = outputs[0].shape;
  SetNhwc(&outputs[0]);
  Pool2dGraph graph = MakeAvgPool2d(x.dtype, params, x.shape, y_shape);
  if (std::shared_ptr<GraphPlan> plan = context.planner->Plan(graph.graph)) {
    return std::make_shared<Pool2dGraphPlan>(context, inputs, ImagesNhwc(inputs), std::move(outputs), std::move(graph),
                                             std::move(plan));
  }
  return std::make_shared<Pool2dKernelPlan>(context, inputs, ImagesNhwc(inputs), std::move(outputs),
                                            ViewOf(x.dtype, params, x.shape, y_shape), LaunchAvgPool2d);
}

}  // namespace residua::cuda
