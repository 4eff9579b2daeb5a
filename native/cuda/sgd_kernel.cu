// The update of stochastic gradient descent for many parameters in one launch.
#include "cuda/sgd_kernel.h"

#include <cmath>

#include "cuda/update_kernel.h"

namespace residua::cuda {
namespace {

struct SgdRates {
  float rescale, momentum, clip;  // clip: infinity for none
  float learning_rate, weight_decay;

  __device__ static SgdRates Of(const float* hyper, int entry) {
    return {hyper[0], hyper[1], hyper[2] > 0 ? hyper[2] : INFINITY, hyper[3 + 2 * entry], hyper[4 + 2 * entry]};
  }
  __device__ float Gradient(float grad, float w) const { return Clipped(rescale * grad, clip) + weight_decay * w; }
};

struct PlainRule {
  static constexpr int kStates = 0;
  using Rates = SgdRates;
  __device__ static Rates RatesOf(const float* hyper, int entry) { return SgdRates::Of(hyper, entry); }
  __device__ static void Update(float* w, float grad, float*, float*, const Rates& rates) {
    *w -= rates.learning_rate * rates.Gradient(grad, *w);
  }
};

struct MomentumRule {
  static constexpr int kStates = 1;
  using Rates = SgdRates;
  __device__ static Rates RatesOf(const float* hyper, int entry) { return SgdRates::Of(hyper, entry); }
  __device__ static void Update(float* w, float grad, float* m, float*, const Rates& rates) {
    *m = rates.momentum * *m + rates.Gradient(grad, *w);
    *w -= rates.learning_rate * *m;
  }
};

struct NesterovRule {
  static constexpr int kStates = 1;
  using Rates = SgdRates;
  __device__ static Rates RatesOf(const float* hyper, int entry) { return SgdRates::Of(hyper, entry); }
  __device__ static void Update(float* w, float grad, float* m, float*, const Rates& rates) {
    const float g = rates.Gradient(grad, *w);
    *m = rates.momentum * *m + g;
    *w -= rates.learning_rate * (g + rates.momentum * *m);
  }
};

}  // namespace

void LaunchSgd(const CudaContext& context, const SgdParams& params, const std::vector<UpdateEntry>& entries,
               const float* hyper, const LaunchArgs& args) {
  if (!params.has_momentum) {
    LaunchRule<PlainRule>(context, entries, hyper, args);
  } else if (params.nesterov) {
    LaunchRule<NesterovRule>(context, entries, hyper, args);
  } else {
    LaunchRule<MomentumRule>(context, entries, hyper, args);
  }
}

}  // namespace residua::cuda
