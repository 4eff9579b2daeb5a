// What the optimisers' updates have in common: layouts.
#include "cuda/parameter_update.h"

namespace residua::cuda {
namespace {

bool SameLayout(const TensorDesc& a, const TensorDesc& b) { return IsPlain(a) == IsPlain(b); }

}  // namespace

ParameterUpdatePlan::ParameterUpdatePlan(const CudaContext& context, const Descs& inputs, size_t states)
    : CudaPlan(context), group_(2 + states) {
  updates_in_place = true;
  preferred_inputs.resize(inputs.size());
  for (TensorDesc& desc : preferred_inputs) desc.bytes = 0;
  for (size_t first = 0; first + 1 < inputs.size(); first += group_) {
    counts_.push_back(NumElements(inputs[first].shape));
    AddDetour(inputs, first + 1, first, &grads_);
    for (size_t state = first + 2; state < first + group_; ++state) {
      if (AddDetour(inputs, state, first, &states_)) preferred_inputs[state] = inputs[first];
    }
  }
}

// True where the input needs one.
bool ParameterUpdatePlan::AddDetour(const Descs& inputs, size_t input, size_t weight, std::vector<Detour>* detours) {
  if (SameLayout(inputs[input], inputs[weight])) return false;
  detours->push_back({input, inputs[input], inputs[weight], TakeScratch(inputs[weight].bytes)});
  return true;
}

void ParameterUpdatePlan::Launch(const LaunchArgs& args) {
  std::vector<void*> pointers(args.inputs, args.inputs + preferred_inputs.size());
  for (const std::vector<Detour>* detours : {&grads_, &states_}) {
    for (const Detour& detour : *detours) {
      void* converted = args.scratch + detour.offset;
      LaunchConvertLayout(context(), detour.own, args.inputs[detour.input], detour.weight, converted);
      pointers[detour.input] = converted;
    }
  }
  LaunchUpdate(EntriesOf(pointers), static_cast<const float*>(pointers.back()), args);
  for (const Detour& detour : states_) {
    LaunchConvertLayout(context(), detour.weight, pointers[detour.input], detour.own, args.inputs[detour.input]);
  }
}

std::vector<UpdateEntry> ParameterUpdatePlan::EntriesOf(const std::vector<void*>& pointers) const {
  std::vector<UpdateEntry> entries;
  entries.reserve(counts_.size());
  for (size_t i = 0; i < counts_.size(); ++i) {
    void* const* of = &pointers[i * group_];
    UpdateEntry entry{static_cast<float*>(of[0]), static_cast<const float*>(of[1]), {}, counts_[i]};
    for (size_t state = 0; state + 2 < group_; ++state) entry.states[state] = static_cast<float*>(of[2 + state]);
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace residua::cuda
