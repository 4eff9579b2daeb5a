// The update of stochastic gradient descent for all parameters at once, with momentum (Nesterov's on request), weight
// decay and clipping. As MXNet: g = clip(rescale * grad) + wd * w. As PyTorch (Sutskever et al. 2013, "On the
// importance of initialization and momentum in deep learning", in PyTorch's form): m = momentum * m + g;  w -= lr *
// (nesterov ? g + momentum * m : m).
//
// Layouts. What is not in the weight's layout goes through the scratch, and momentum is written back to its own. The
// plan asks (preferred_inputs) for momentum in the weight's layout, which ends that detour once the caller converts it.
#include "cuda/sgd_kernel.h"

namespace residua::cuda {
namespace {

bool SameLayout(const TensorDesc& a, const TensorDesc& b) { return IsPlain(a) == IsPlain(b); }

// An input that is read, or updated, in another layout than its own.
struct Detour {
  size_t input;
  TensorDesc own, weight;  // the layouts
  size_t offset;           // in the scratch
};

class SgdPlan : public CudaPlan {
 public:
  SgdPlan(const CudaContext& context, const Descs& inputs, const SgdParams& params)
      : CudaPlan(context), params_(params), group_(params.has_momentum ? 3 : 2) {
    updates_in_place = true;
    preferred_inputs.resize(inputs.size());
    for (TensorDesc& desc : preferred_inputs) desc.bytes = 0;
    for (size_t first = 0; first + 1 < inputs.size(); first += group_) {
      counts_.push_back(NumElements(inputs[first].shape));
      AddDetour(inputs, first + 1, first, &grads_);
      if (!params.has_momentum || !AddDetour(inputs, first + 2, first, &momenta_)) continue;
      preferred_inputs[first + 2] = inputs[first];
    }
  }

  void Launch(const LaunchArgs& args) override {
    std::vector<void*> pointers(args.inputs, args.inputs + preferred_inputs.size());
    for (const std::vector<Detour>* detours : {&grads_, &momenta_}) {
      for (const Detour& detour : *detours) {
        void* converted = args.scratch + detour.offset;
        LaunchConvertLayout(context(), detour.own, args.inputs[detour.input], detour.weight, converted);
        pointers[detour.input] = converted;
      }
    }
    Update(pointers, args);
    for (const Detour& detour : momenta_) {
      LaunchConvertLayout(context(), detour.weight, pointers[detour.input], detour.own, args.inputs[detour.input]);
    }
  }

 private:
  // True where the input needs one.
  bool AddDetour(const Descs& inputs, size_t input, size_t weight, std::vector<Detour>* detours) {
    if (SameLayout(inputs[input], inputs[weight])) return false;
    detours->push_back({input, inputs[input], inputs[weight], TakeScratch(inputs[weight].bytes)});
    return true;
  }

  void Update(const std::vector<void*>& pointers, const LaunchArgs& args) const {
    std::vector<SgdEntry> entries;
    entries.reserve(counts_.size());
    for (size_t i = 0; i < counts_.size(); ++i) {
      void* const* of = &pointers[i * group_];  // w, g, [m]
      entries.push_back({static_cast<float*>(of[0]), static_cast<const float*>(of[1]),
                         params_.has_momentum ? static_cast<float*>(of[2]) : nullptr, counts_[i]});
    }
    LaunchSgd(context(), params_, entries, static_cast<const float*>(pointers.back()), args);
  }

  const SgdParams params_;
  const size_t group_;           // inputs a parameter
  std::vector<int64_t> counts_;  // elements of each parameter
  std::vector<Detour> grads_, momenta_;
};

}  // namespace

PlanPtr PrepareSgd(const CudaContext& context, const Op& op, const Descs& inputs, Descs) {
  return std::make_shared<SgdPlan>(context, inputs, std::get<SgdParams>(op.params));
}

}  // namespace residua::cuda
