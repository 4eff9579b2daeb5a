// Runs ops one by one: shapes, plan (cached), storage of the outputs, enqueue. Knows nothing of JavaScript.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/plan_cache.h"

namespace residua {

// A tensor as its holders share it. The layout may change under them, the values do not.
struct TensorHandle {
  Tensor tensor;
  bool converted = false;  // to a layout that an op preferred: at most once, so that two ops cannot quarrel
};

// Whether there is nothing to compute.
bool AllEmpty(const std::vector<TensorDesc>& outputs);

// The plan of an op for inputs of these descriptions, from the cache or made now. Null where there is nothing to
// compute: all outputs are empty.
std::shared_ptr<Plan> PlanOf(Backend* backend, PlanCache* plans, const Op& op, const std::vector<TensorDesc>& inputs);

// Moves a long-lived tensor to the layout that a plan prefers; true where that changed anything. Parameters and their
// momenta are read by every step: reordering them once is cheaper than each time.
bool ConvertToPreferred(Backend* backend, const TensorDesc& preferred, TensorHandle* input);

class Eager {
 public:
  Eager(std::shared_ptr<Backend> backend, size_t plan_capacity);

  // Throws the first failure of earlier work that nobody has been told of; then what is wrong with this op.
  std::vector<Tensor> Run(const Op& op, const std::vector<std::shared_ptr<TensorHandle>>& inputs);

  // A plain tensor of values of the host.
  Tensor FromHost(const void* values, DType dtype, Shape shape);

  void ThrowPendingError();
  Backend& backend() { return *backend_; }
  PlanCache& plans() { return plans_; }

 private:
  std::vector<Tensor> Allocate(const std::vector<TensorDesc>& descs, const std::vector<int>& alias,
                               const std::vector<Tensor>& inputs);

  std::shared_ptr<Backend> backend_;
  PlanCache plans_;
};

}  // namespace residua
