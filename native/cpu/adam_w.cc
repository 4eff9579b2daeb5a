// The update of AdamW for all parameters at once: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019,
// algorithm 2, in PyTorch's form. With g = clip(rescale * grad): m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 -
// beta2) * g^2;  w = (1 - lr * wd) * w - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/parameter_update.h"
#include "cpu/simd.h"

namespace residua::cpu {
namespace {

struct Rates {
  float rescale, clip;  // clip: infinity for none
  float beta1, beta2, epsilon;
  float kept;          // of the weight: 1 - lr * wd
  float step;          // lr / (1 - beta1^t)
  float inverse_root;  // 1 / sqrt(1 - beta2^t)
};

RESIDUA_SIMD void UpdateAll(float* __restrict w, const float* __restrict grad, float* __restrict m, float* __restrict v,
                            int64_t count, Rates rates) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = std::min(std::max(rates.rescale * grad[i], -rates.clip), rates.clip);  // NaN passes through
    m[i] = rates.beta1 * m[i] + (1 - rates.beta1) * g;
    v[i] = rates.beta2 * v[i] + (1 - rates.beta2) * g * g;
    w[i] = rates.kept * w[i] - rates.step * m[i] / (std::sqrt(v[i]) * rates.inverse_root + rates.epsilon);
  }
}

class AdamWPlan : public ParameterUpdatePlan {
 public:
  using ParameterUpdatePlan::ParameterUpdatePlan;

 protected:
  void Update(const Buffers& at, int64_t begin, int64_t end, const float* hyper, size_t parameter) const override {
    UpdateAll(at.weight + begin, at.grad + begin, at.states[0] + begin, at.states[1] + begin, end - begin,
              RatesOf(hyper, parameter));
  }

 private:
  static Rates RatesOf(const float* hyper, size_t i) {
    const float clip = hyper[1] > 0 ? hyper[1] : std::numeric_limits<float>::infinity();
    const float* of = hyper + 5 + 3 * i;
    return {hyper[0], clip, hyper[2], hyper[3], hyper[4], of[0], of[1], of[2]};
  }
};

}  // namespace

PlanPtr PrepareAdamW(const CpuContext& context, const Op& op, const Descs& inputs, Descs) {
  const auto count = static_cast<size_t>(std::get<AdamWParams>(op.params).count);
  return std::make_shared<AdamWPlan>(context, inputs, count, size_t{2});
}

}  // namespace residua::cpu
