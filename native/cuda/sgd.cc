// The update of stochastic gradient descent for all parameters at once, with momentum (Nesterov's on request), weight
// decay and clipping. As MXNet: g = clip(rescale * grad) + wd * w. As PyTorch (Sutskever et al. 2013, "On the
// importance of initialization and momentum in deep learning", in PyTorch's form): m = momentum * m + g;  w -= lr *
// (nesterov ? g + momentum * m : m).
#include "cuda/sgd_kernel.h"

namespace residua::cuda {
namespace {

class SgdPlan : public ParameterUpdatePlan {
 public:
  SgdPlan(const CudaContext& context, const Descs& inputs, const SgdParams& params)
      : ParameterUpdatePlan(context, inputs, params.has_momentum ? 1 : 0), params_(params) {}

 protected:
  void LaunchUpdate(const std::vector<UpdateEntry>& entries, const float* hyper, const LaunchArgs& args) override {
    LaunchSgd(context(), params_, entries, hyper, args);
  }

 private:
  const SgdParams params_;
};

}  // namespace

PlanPtr PrepareSgd(const CudaContext& context, const Op& op, const Descs& inputs, Descs) {
  return std::make_shared<SgdPlan>(context, inputs, std::get<SgdParams>(op.params));
}

}  // namespace residua::cuda
