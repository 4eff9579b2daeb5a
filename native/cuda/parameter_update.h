// What the optimisers' updates have in common: all parameters in one launch, whatever their layouts.
#pragma once
#include <vector>

#include "cuda/cuda_plan.h"

namespace residua::cuda {

constexpr size_t kMostUpdateStates = 2;

// One parameter: `count` elements of each, in one layout.
struct UpdateEntry {
  float* weight;
  const float* grad;
  float* states[kMostUpdateStates];  // as many as the optimiser has
  int64_t count;
};

// Inputs are, for each parameter, its weight, its gradient and the optimiser's states of it; last the hyper-parameters.
//
// Layouts. What is not in the weight's layout goes through the scratch, and states are written back to their own. The
// plan asks (preferred_inputs) for states in the weight's layout, which ends that detour once the caller converts them.
class ParameterUpdatePlan : public CudaPlan {
 public:
  ParameterUpdatePlan(const CudaContext& context, const Descs& inputs, size_t states);
  void Launch(const LaunchArgs& args) final;

 protected:
  // hyper, on the device. Nothing may be updated where a guard of `args` is set.
  virtual void LaunchUpdate(const std::vector<UpdateEntry>& entries, const float* hyper, const LaunchArgs& args) = 0;

 private:
  // An input that is read, or updated, in another layout than its own.
  struct Detour {
    size_t input;
    TensorDesc own, weight;  // the layouts
    size_t offset;           // in the scratch
  };

  bool AddDetour(const Descs& inputs, size_t input, size_t weight, std::vector<Detour>* detours);
  std::vector<UpdateEntry> EntriesOf(const std::vector<void*>& pointers) const;

  const size_t group_;           // inputs a parameter
  std::vector<int64_t> counts_;  // elements of each parameter
  std::vector<Detour> grads_, states_;
};

}  // namespace residua::cuda
