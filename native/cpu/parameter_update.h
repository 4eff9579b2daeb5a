// What the optimisers' updates have in common: all parameters in one op, whatever their layouts.
#pragma once
#include <optional>
#include <vector>

#include "cpu/cpu_plan.h"

namespace residua::cpu {

// Inputs are, for each parameter, its weight, its gradient and the optimiser's states of it (momentum, say), all of one
// shape, in float32; last the hyper-parameters. Weights and states are updated in place.
//
// Layouts. The convolutions choose the layout of the weights; gradients come in that of the backward pass, often the
// same one. States are plain at first (zeros, or read from a file), and weights may be converted between two steps, so
// that nothing can be assumed of either: whatever is not in the weight's layout now goes through scratch, and states
// are written back to their own layout. The plan asks (preferred_inputs) for plain weights in the gradient's layout,
// which are those that the convolutions read through a 16-bit cast, and for states in the weight's, which ends the
// detours once the caller converts them. Where weights are padded, they, gradients and states are 0 there and must stay
// so.
class ParameterUpdatePlan : public CpuPlan {
 public:
  static constexpr size_t kMostStates = 2;

  ParameterUpdatePlan(const CpuContext& context, const Descs& inputs, size_t parameters, size_t states);

  void Run(void* const* inputs, void* const* outputs, void* scratch) override;

 protected:
  // Pointers to one parameter's tensors, all in one layout.
  struct Buffers {
    float* weight;
    const float* grad;
    float* states[kMostStates];
  };
  // Elements [begin, end) of a parameter, by number.
  virtual void Update(const Buffers& at, int64_t begin, int64_t end, const float* hyper, size_t parameter) const = 0;

 private:
  // A state that is not in the weight's layout.
  struct Detour {
    size_t state, at;  // at: in the scratch
    ScratchReorder in, out;
  };
  struct Parameter {
    size_t first;   // its weight among the inputs
    int64_t count;  // elements of the weight's storage, padding included
    size_t grad_at = 0;
    std::optional<ScratchReorder> grad_in = {};
    std::vector<Detour> detours = {};
    bool converts() const { return grad_in || !detours.empty(); }
  };

  void AddParameter(const CpuContext& context, const Descs& inputs, size_t first);
  Buffers BuffersOf(const Parameter& parameter, void* const* inputs) const;
  void UpdateConverted(size_t parameter, void* const* inputs, const float* hyper, char* scratch);
  void UpdateDirect(void* const* inputs, const float* hyper) const;

  dnnl::stream stream_;
  size_t states_;
  std::vector<Parameter> parameters_;
  std::vector<size_t> direct_;        // the parameters that need no conversion
  std::vector<int64_t> direct_ends_;  // where each of these ends in the row of all their weights
};

}  // namespace residua::cpu
