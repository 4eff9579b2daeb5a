// The update of AdamW for all parameters at once: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019,
// algorithm 2, in PyTorch's form. With g = clip(rescale * grad): m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 -
// beta2) * g^2;  w = (1 - lr * wd) * w - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
#include "cuda/adam_w_kernel.h"

namespace residua::cuda {
namespace {

class AdamWPlan : public ParameterUpdatePlan {
 public:
  AdamWPlan(const CudaContext& context, const Descs& inputs) : ParameterUpdatePlan(context, inputs, 2) {}

 protected:
  void LaunchUpdate(const std::vector<UpdateEntry>& entries, const float* hyper, const LaunchArgs& args) override {
    LaunchAdamW(context(), entries, hyper, args);
  }
};

}  // namespace

PlanPtr PrepareAdamW(const CudaContext& context, const Op&, const Descs& inputs, Descs) {
  return std::make_shared<AdamWPlan>(context, inputs);
}

}  // namespace residua::cuda
