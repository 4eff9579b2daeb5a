// Weights and bias of a convolution that does BatchNorm's arithmetic in inference too:
// w' = w * s, b' = (b - mean) * s + beta, with s = gamma / sqrt(variance + epsilon) for each output channel.
#include <cmath>

#include "cuda/cuda_plan.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

// One value an output channel.
struct PerChannel {
  const float *bias, *gamma, *beta, *mean, *variance;  // bias: null for none
};

// Both layouts keep the weights of one output channel together: `each` of them.
__global__ void FoldKernel(PerChannel of, float epsilon, const float* w, int64_t count, int64_t each, float* folded_w,
                           float* folded_b) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const int64_t c = Quotient(i, each);
    const float scale = of.gamma[c] / sqrtf(of.variance[c] + epsilon);
    folded_w[i] = w[i] * scale;
    const bool is_first = i == c * each;
    if (is_first) folded_b[c] = ((of.bias ? of.bias[c] : 0.0f) - of.mean[c]) * scale + of.beta[c];
  }
}

class FoldBatchNormPlan : public ConvertingPlan {
 public:
  FoldBatchNormPlan(const CudaContext& context, float epsilon, const Descs& inputs, Descs plan_outputs)
      : ConvertingPlan(context, inputs, ImagesNhwc(inputs), std::move(plan_outputs)),
        epsilon_(epsilon),
        has_bias_(inputs.size() == 6) {
    preferred_inputs.resize(inputs.size());
    for (TensorDesc& preferred : preferred_inputs) preferred.bytes = 0;
    if (!IsNhwc(inputs[0])) preferred_inputs[0] = NhwcLike(inputs[0]);
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    const auto input = [&](size_t i) { return static_cast<const float*>(args.inputs[i]); };
    const size_t next = has_bias_ ? 2 : 1;
    const PerChannel of = {has_bias_ ? input(1) : nullptr, input(next), input(next + 1), input(next + 2),
                           input(next + 3)};
    const int64_t count = NumElements(outputs[0].shape);
    RESIDUA_LAUNCH(FoldKernel, BlocksFor(count), kThreads, context().stream, of, epsilon_, input(0), count,
                   count / outputs[0].shape[0], static_cast<float*>(args.outputs[0]),
                   static_cast<float*>(args.outputs[1]));
  }

 private:
  float epsilon_;
  bool has_bias_;
};

}  // namespace

PlanPtr PrepareFoldBatchNorm(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  SetNhwc(&outputs[0]);
  const float epsilon = std::get<BatchNormParams>(op.params).epsilon;
  return std::make_shared<FoldBatchNormPlan>(context, epsilon, inputs, std::move(outputs));
}

}  // namespace residua::cuda
