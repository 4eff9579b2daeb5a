// The update of stochastic gradient descent for all parameters at once, with momentum (Nesterov's on request), weight
// decay and clipping. As MXNet: g = clip(rescale * grad) + wd * w. As PyTorch (Sutskever et al. 2013, "On the
// importance of initialization and momentum in deep learning", in PyTorch's form): m = momentum * m + g;  w -= lr *
// (nesterov ? g + momentum * m : m).
#include <algorithm>
#include <limits>

#include "cpu/parameter_update.h"
#include "cpu/simd.h"

namespace residua::cpu {
namespace {

struct Rates {
  float rescale, momentum, clip;  // clip: infinity for none
  float learning_rate, weight_decay;
};

RESIDUA_INLINE float Gradient(float grad, float w, const Rates& rates) {
  const float g = std::min(std::max(rates.rescale * grad, -rates.clip), rates.clip);  // NaN passes through
  return g + rates.weight_decay * w;
}

RESIDUA_SIMD void UpdatePlain(float* __restrict w, const float* __restrict grad, int64_t count, Rates rates) {
  for (int64_t i = 0; i < count; ++i) w[i] -= rates.learning_rate * Gradient(grad[i], w[i], rates);
}

RESIDUA_SIMD void UpdateMomentum(float* __restrict w, const float* __restrict grad, float* __restrict m, int64_t count,
                                 Rates rates) {
  for (int64_t i = 0; i < count; ++i) {
    m[i] = rates.momentum * m[i] + Gradient(grad[i], w[i], rates);
    w[i] -= rates.learning_rate * m[i];
  }
}

RESIDUA_SIMD void UpdateNesterov(float* __restrict w, const float* __restrict grad, float* __restrict m, int64_t count,
                                 Rates rates) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = Gradient(grad[i], w[i], rates);
    m[i] = rates.momentum * m[i] + g;
    w[i] -= rates.learning_rate * (g + rates.momentum * m[i]);
  }
}

class SgdPlan : public ParameterUpdatePlan {
 public:
  SgdPlan(const CpuContext& context, const Descs& inputs, const SgdParams& params)
      : ParameterUpdatePlan(context, inputs, static_cast<size_t>(params.count), params.has_momentum ? 1 : 0),
        params_(params) {}

 protected:
  void Update(const Buffers& at, int64_t begin, int64_t end, const float* hyper, size_t parameter) const override {
    const int64_t count = end - begin;
    const Rates rates = RatesOf(hyper, parameter);
    if (!params_.has_momentum) {
      UpdatePlain(at.weight + begin, at.grad + begin, count, rates);
    } else if (params_.nesterov) {
      UpdateNesterov(at.weight + begin, at.grad + begin, at.states[0] + begin, count, rates);
    } else {
      UpdateMomentum(at.weight + begin, at.grad + begin, at.states[0] + begin, count, rates);
    }
  }

 private:
  static Rates RatesOf(const float* hyper, size_t i) {
    const float clip = hyper[2] > 0 ? hyper[2] : std::numeric_limits<float>::infinity();
    return {hyper[0], hyper[1], clip, hyper[3 + 2 * i], hyper[4 + 2 * i]};
  }

  SgdParams params_;
};

}  // namespace

PlanPtr PrepareSgd(const CpuContext& context, const Op& op, const Descs& inputs, Descs) {
  return std::make_shared<SgdPlan>(context, inputs, std::get<SgdParams>(op.params));
}

}  // namespace residua::cpu
