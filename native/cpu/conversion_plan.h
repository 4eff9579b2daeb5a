// A tensor's values in another layout.
#pragma once
#include "cpu/cpu_plan.h"
#include "cpu/input_reorders.h"

namespace residua::cpu {

// Input 0 in another layout.
class ConversionPlan : public CpuPlan {
 public:
  ConversionPlan(const CpuContext& context, const TensorDesc& from, const TensorDesc& to)
      : stream_(context.stream), reorder_(context.engine, MemoryDescOf(from), MemoryDescOf(to), &scratch_bytes) {
    outputs = {to};
  }
  void Run(void* const* inputs, void* const* out, void* scratch) override {
    reorder_.Run(stream_, inputs[0], out[0], static_cast<char*>(scratch));
  }

 private:
  dnnl::stream stream_;
  ScratchReorder reorder_;
};

}  // namespace residua::cpu
