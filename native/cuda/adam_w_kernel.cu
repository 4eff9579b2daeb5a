// The update of AdamW for many parameters in one launch.
#include "cuda/adam_w_kernel.h"

#include <cmath>

#include "cuda/update_kernel.h"

namespace residua::cuda {
namespace {

struct AdamWRule {
  static constexpr int kStates = 2;
  struct Rates {
    float rescale, clip;  // clip: infinity for none
    float beta1, beta2, epsilon;
    float kept, step, inverse_root;  // of the entry, see LaunchAdamW
  };

  __device__ static Rates RatesOf(const float* hyper, int entry) {
    const float* of = hyper + 5 + 3 * entry;
    return {hyper[0], hyper[1] > 0 ? hyper[1] : INFINITY, hyper[2], hyper[3], hyper[4], of[0], of[1], of[2]};
  }

  __device__ static void Update(float* w, float grad, float* m, float* v, const Rates& rates) {
    const float g = Clipped(rates.rescale * grad, rates.clip);
    *m = rates.beta1 * *m + (1 - rates.beta1) * g;
    *v = rates.beta2 * *v + (1 - rates.beta2) * g * g;
    *w = rates.kept * *w - rates.step * *m / (sqrtf(*v) * rates.inverse_root + rates.epsilon);
  }
};

}  // namespace

void LaunchAdamW(const CudaContext& context, const std::vector<UpdateEntry>& entries, const float* hyper,
                 const LaunchArgs& args) {
  LaunchRule<AdamWRule>(context, entries, hyper, args);
}

}  // namespace residua::cuda
