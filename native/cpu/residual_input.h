// The residual of a convolution of our own, which is added to what y holds already.
#pragma once
#include <optional>

#include "cpu/cpu_plan.h"

namespace residua::cpu {

class ResidualInput {
 public:
  // It is the last of `inputs`, and shares y's storage where both lie alike, else it is moved there by Run. `plan` has
  // its outputs.
  ResidualInput(const CpuContext& context, const Descs& inputs, CpuPlan* plan);

  void Run(void* const* inputs, void* y, void* scratch);

 private:
  dnnl::stream stream_;
  size_t index_;
  std::optional<ScratchReorder> move_;
};

}  // namespace residua::cpu
