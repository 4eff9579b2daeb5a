// What the optimisers' updates have in common: layouts, and the parts of the threads.
#include "cpu/parameter_update.h"

#include <algorithm>

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // weights a thread updates at least

}  // namespace

ParameterUpdatePlan::ParameterUpdatePlan(const CpuContext& context, const Descs& inputs, size_t parameters,
                                         size_t states)
    : stream_(context.stream), states_(states) {
  preferred_inputs.resize(inputs.size());
  for (TensorDesc& desc : preferred_inputs) desc.bytes = 0;
  for (size_t i = 0; i < parameters; ++i) AddParameter(context, inputs, i * (2 + states));
}

void ParameterUpdatePlan::AddParameter(const CpuContext& context, const Descs& inputs, size_t first) {
  const TensorDesc &w = inputs[first], &g = inputs[first + 1];
  Parameter parameter{first, static_cast<int64_t>(w.bytes / sizeof(float))};
  // Parameters are updated one after the other where they need scratch: all use the same.
  size_t bytes = 0;
  if (!SameLayout(w, g)) {
    parameter.grad_at = TakeScratch(&bytes, w.bytes);
    parameter.grad_in.emplace(context.engine, MemoryDescOf(g), MemoryDescOf(w), &bytes);
    if (w.plain()) preferred_inputs[first] = g;
  }
  for (size_t state = 0; state < states_; ++state) {
    const TensorDesc& own = inputs[first + 2 + state];
    if (SameLayout(w, own)) continue;
    const size_t at = TakeScratch(&bytes, w.bytes);
    parameter.detours.push_back({state, at, ScratchReorder(context.engine, MemoryDescOf(own), MemoryDescOf(w), &bytes),
                                 ScratchReorder(context.engine, MemoryDescOf(w), MemoryDescOf(own), &bytes)});
    preferred_inputs[first + 2 + state] = w;
  }
  scratch_bytes = std::max(scratch_bytes, bytes);
  if (!parameter.converts()) {
    direct_.push_back(parameters_.size());
    direct_ends_.push_back((direct_ends_.empty() ? 0 : direct_ends_.back()) + parameter.count);
  }
  parameters_.push_back(std::move(parameter));
}

void ParameterUpdatePlan::Run(void* const* inputs, void* const*, void* scratch) {
  const float* hyper = static_cast<const float*>(inputs[parameters_.size() * (2 + states_)]);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].converts()) UpdateConverted(i, inputs, hyper, static_cast<char*>(scratch));
  }
  UpdateDirect(inputs, hyper);
}

ParameterUpdatePlan::Buffers ParameterUpdatePlan::BuffersOf(const Parameter& parameter, void* const* inputs) const {
  void* const* of = inputs + parameter.first;
  Buffers buffers{static_cast<float*>(of[0]), static_cast<const float*>(of[1]), {}};
  for (size_t state = 0; state < states_; ++state) buffers.states[state] = static_cast<float*>(of[2 + state]);
  return buffers;
}

// Right after its gradient was converted, which is in the cache then.
void ParameterUpdatePlan::UpdateConverted(size_t number, void* const* inputs, const float* hyper, char* scratch) {
  Parameter& parameter = parameters_[number];
  const Buffers own = BuffersOf(parameter, inputs);
  Buffers at = own;
  if (parameter.grad_in) {
    float* grad = reinterpret_cast<float*>(scratch + parameter.grad_at);
    parameter.grad_in->Run(stream_, own.grad, grad, scratch);
    at.grad = grad;
  }
  for (Detour& detour : parameter.detours) {
    at.states[detour.state] = reinterpret_cast<float*>(scratch + detour.at);
    detour.in.Run(stream_, own.states[detour.state], at.states[detour.state], scratch);
  }
  ParallelFor(parameter.count, kGrain, [&](int64_t begin, int64_t end) { Update(at, begin, end, hyper, number); });
  for (Detour& detour : parameter.detours) {
    detour.out.Run(stream_, at.states[detour.state], own.states[detour.state], scratch);
  }
}

// All the others as one long row of weights, of which each thread gets an equal part.
void ParameterUpdatePlan::UpdateDirect(void* const* inputs, const float* hyper) const {
  ParallelFor(direct_ends_.empty() ? 0 : direct_ends_.back(), kGrain, [&](int64_t begin, int64_t end) {
    size_t i = std::upper_bound(direct_ends_.begin(), direct_ends_.end(), begin) - direct_ends_.begin();
    for (; begin < end; ++i) {
      const Parameter& parameter = parameters_[direct_[i]];
      const int64_t start = direct_ends_[i] - parameter.count, stop = std::min(end, direct_ends_[i]);
      Update(BuffersOf(parameter, inputs), begin - start, stop - start, hyper, direct_[i]);
      begin = stop;
    }
  });
}

}  // namespace residua::cpu
