// The update of stochastic gradient descent for all parameters at once, with momentum (Nesterov's on request), weight
// decay and clipping. As MXNet: g = clip(rescale * grad) + wd * w. As PyTorch (Sutskever et al. 2013, "On the
// importance of initialization and momentum in deep learning", in PyTorch's form): m = momentum * m + g;  w -= lr *
// (nesterov ? g + momentum * m : m).
//
// Layouts. The convolutions choose the layout of the weights; gradients come in that of the backward pass, often the
// same one. Momentum is plain at first (zeros, or read from a file), and weights may be converted between two steps, so
// that nothing can be assumed of either: whatever is not in the weight's layout now goes through scratch, and momentum
// is written back to its own layout. The plan asks (preferred_inputs) for plain weights in the gradient's layout, which
// are those that the convolutions read through a 16-bit cast, and for momentum in the weight's, which ends the detours
// once the caller converts them. Where weights are padded, w, g and m are 0 there and stay 0.
#include <algorithm>
#include <limits>
#include <optional>

#include "cpu/cpu_plan.h"
#include "cpu/simd.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // weights a thread updates at least

struct Rates {
  float rescale, momentum, clip;  // clip: infinity for none
  float learning_rate, weight_decay;
};

RESIDUA_INLINE float Gradient(float grad, float w, const Rates& rates) {
  const float g = std::min(std::max(rates.rescale * grad, -rates.clip), rates.clip);  // NaN passes through
  return g + rates.weight_decay * w;
}

RESIDUA_SIMD void UpdatePlain(float* __restrict w, const float* __restrict grad, int64_t count, Rates rates) {
  for (int64_t i = 0; i < count; ++i) w[i] -= rates.learning_rate * Gradient(grad[i], w[i], rates);
}

RESIDUA_SIMD void UpdateMomentum(float* __restrict w, const float* __restrict grad, float* __restrict m, int64_t count,
                                 Rates rates) {
  for (int64_t i = 0; i < count; ++i) {
    m[i] = rates.momentum * m[i] + Gradient(grad[i], w[i], rates);
    w[i] -= rates.learning_rate * m[i];
  }
}

RESIDUA_SIMD void UpdateNesterov(float* __restrict w, const float* __restrict grad, float* __restrict m, int64_t count,
                                 Rates rates) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = Gradient(grad[i], w[i], rates);
    m[i] = rates.momentum * m[i] + g;
    w[i] -= rates.learning_rate * (g + rates.momentum * m[i]);
  }
}

// One parameter: where its tensors are among the inputs, and what brings them to the weight's layout.
struct Parameter {
  size_t weight, grad, momentum;
  int64_t count;                        // elements of the weight's storage, padding included
  size_t grad_at = 0, momentum_at = 0;  // in the scratch
  std::optional<ScratchReorder> grad_in = {}, momentum_in = {}, momentum_out = {};
  bool converts() const { return grad_in || momentum_in; }
};

// Pointers to one parameter's tensors, all in one layout.
struct Buffers {
  float* weight;
  const float* grad;
  float* momentum;
};

class SgdPlan : public CpuPlan {
 public:
  SgdPlan(const CpuContext& context, const Descs& inputs, const SgdParams& params)
      : params_(params), stream_(context.stream) {
    preferred_inputs.resize(inputs.size());
    for (TensorDesc& desc : preferred_inputs) desc.bytes = 0;
    const size_t stride = params.has_momentum ? 3 : 2;
    for (int32_t i = 0; i < params.count; ++i) AddParameter(context, inputs, i * stride);
    hyper_ = params.count * stride;
  }

  void Run(void* const* inputs, void* const*, void* scratch) override {
    const float* hyper = static_cast<const float*>(inputs[hyper_]);
    for (size_t i = 0; i < parameters_.size(); ++i) {
      if (parameters_[i].converts())
        UpdateConverted(&parameters_[i], inputs, RatesOf(hyper, i), static_cast<char*>(scratch));
    }
    UpdateDirect(inputs, hyper);
  }

 private:
  void AddParameter(const CpuContext& context, const Descs& inputs, size_t first) {
    const TensorDesc &w = inputs[first], &g = inputs[first + 1];
    Parameter parameter{first, first + 1, first + 2, static_cast<int64_t>(w.bytes / sizeof(float))};
    // Parameters are updated one after the other where they need scratch: all use the same.
    size_t bytes = 0;
    if (!SameLayout(w, g)) {
      parameter.grad_at = TakeScratch(&bytes, w.bytes);
      parameter.grad_in.emplace(context.engine, MemoryDescOf(g), MemoryDescOf(w), &bytes);
      if (w.plain()) preferred_inputs[first] = g;
    }
    if (params_.has_momentum && !SameLayout(w, inputs[first + 2])) {
      const TensorDesc& m = inputs[first + 2];
      parameter.momentum_at = TakeScratch(&bytes, w.bytes);
      parameter.momentum_in.emplace(context.engine, MemoryDescOf(m), MemoryDescOf(w), &bytes);
      parameter.momentum_out.emplace(context.engine, MemoryDescOf(w), MemoryDescOf(m), &bytes);
      preferred_inputs[first + 2] = w;
    }
    scratch_bytes = std::max(scratch_bytes, bytes);
    if (!parameter.converts()) {
      direct_.push_back(parameters_.size());
      direct_ends_.push_back((direct_ends_.empty() ? 0 : direct_ends_.back()) + parameter.count);
    }
    parameters_.push_back(std::move(parameter));
  }

  Rates RatesOf(const float* hyper, size_t i) const {
    const float clip = hyper[2] > 0 ? hyper[2] : std::numeric_limits<float>::infinity();
    return {hyper[0], hyper[1], clip, hyper[3 + 2 * i], hyper[4 + 2 * i]};
  }

  void Update(const Buffers& at, int64_t begin, int64_t end, const Rates& rates) const {
    const int64_t count = end - begin;
    if (!params_.has_momentum) {
      UpdatePlain(at.weight + begin, at.grad + begin, count, rates);
    } else if (params_.nesterov) {
      UpdateNesterov(at.weight + begin, at.grad + begin, at.momentum + begin, count, rates);
    } else {
      UpdateMomentum(at.weight + begin, at.grad + begin, at.momentum + begin, count, rates);
    }
  }

  Buffers BuffersOf(const Parameter& parameter, void* const* inputs) const {
    void* momentum = params_.has_momentum ? inputs[parameter.momentum] : nullptr;
    return {static_cast<float*>(inputs[parameter.weight]), static_cast<const float*>(inputs[parameter.grad]),
            static_cast<float*>(momentum)};
  }

  // Right after its gradient was converted, which is in the cache then.
  void UpdateConverted(Parameter* parameter, void* const* inputs, const Rates& rates, char* scratch) const {
    Buffers at = BuffersOf(*parameter, inputs);
    if (parameter->grad_in) {
      float* grad = reinterpret_cast<float*>(scratch + parameter->grad_at);
      parameter->grad_in->Run(stream_, at.grad, grad, scratch);
      at.grad = grad;
    }
    if (parameter->momentum_in) {
      at.momentum = reinterpret_cast<float*>(scratch + parameter->momentum_at);
      parameter->momentum_in->Run(stream_, inputs[parameter->momentum], at.momentum, scratch);
    }
    ParallelFor(parameter->count, kGrain, [&](int64_t begin, int64_t end) { Update(at, begin, end, rates); });
    if (parameter->momentum_out) {
      parameter->momentum_out->Run(stream_, at.momentum, inputs[parameter->momentum], scratch);
    }
  }

  // All the others as one long row of weights, of which each thread gets an equal part.
  void UpdateDirect(void* const* inputs, const float* hyper) const {
    ParallelFor(direct_ends_.empty() ? 0 : direct_ends_.back(), kGrain, [&](int64_t begin, int64_t end) {
      size_t i = std::upper_bound(direct_ends_.begin(), direct_ends_.end(), begin) - direct_ends_.begin();
      for (; begin < end; ++i) {
        const Parameter& parameter = parameters_[direct_[i]];
        const int64_t start = direct_ends_[i] - parameter.count, stop = std::min(end, direct_ends_[i]);
        Update(BuffersOf(parameter, inputs), begin - start, stop - start, RatesOf(hyper, direct_[i]));
        begin = stop;
      }
    });
  }

  SgdParams params_;
  dnnl::stream stream_;
  std::vector<Parameter> parameters_;
  std::vector<size_t> direct_;        // the parameters that need no conversion
  std::vector<int64_t> direct_ends_;  // where each of these ends in the row of all their weights
  size_t hyper_ = 0;                  // index of the input
};

}  // namespace

PlanPtr PrepareSgd(const CpuContext& context, const Op& op, const Descs& inputs, Descs) {
  return std::make_shared<SgdPlan>(context, inputs, std::get<SgdParams>(op.params));
}

}  // namespace residua::cpu
