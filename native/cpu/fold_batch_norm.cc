// Weights and bias of a convolution that does BatchNorm's arithmetic in inference too:
// w' = w * s, b' = (b - mean) * s + beta, with s = gamma / sqrt(variance + epsilon) for each output channel.
#include <cmath>

#include "cpu/cpu_plan.h"

namespace residua::cpu {
namespace {

class FoldBatchNormPlan : public PlainPlan {
 public:
  FoldBatchNormPlan(const CpuContext& context, const BatchNormParams& p, const Descs& inputs, Descs plan_outputs)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        epsilon_(p.epsilon),
        has_bias_(inputs.size() == 6),
        channels_(inputs[0].shape[0]),
        weights_(NumElements(inputs[0].shape) / inputs[0].shape[0]) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const auto input = [&](size_t i) { return static_cast<const float*>(inputs[i]); };
    const float* w = input(0);
    const float* b = has_bias_ ? input(1) : nullptr;
    const size_t next = has_bias_ ? 2 : 1;
    const float *gamma = input(next), *beta = input(next + 1), *mean = input(next + 2), *variance = input(next + 3);
    float* folded_w = static_cast<float*>(out[0]);
    float* folded_b = static_cast<float*>(out[1]);
    ParallelFor(channels_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        const float scale = gamma[c] / std::sqrt(variance[c] + epsilon_);
        folded_b[c] = ((b ? b[c] : 0.0f) - mean[c]) * scale + beta[c];
        for (int64_t i = c * weights_; i < (c + 1) * weights_; ++i) folded_w[i] = w[i] * scale;
      }
    });
  }

 private:
  float epsilon_;
  bool has_bias_;
  int64_t channels_;
  int64_t weights_;  // of one output channel
};

}  // namespace

PlanPtr PrepareFoldBatchNorm(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const BatchNormParams& p = std::get<BatchNormParams>(op.params);
  for (TensorDesc& output : outputs) output = PlainDesc(output.dtype, output.shape);
  return std::make_shared<FoldBatchNormPlan>(context, p, inputs, std::move(outputs));
}

}  // namespace residua::cpu
