// Argmax along an axis: the first of equals; NaN counts as the largest value, as in NumPy and PyTorch.
#include "cuda/axis_lines.h"
#include "cuda/cuda_plan.h"
#include "cuda/element.h"

namespace residua::cuda {
namespace {

template <class C>
struct Candidate {
  C value;
  int32_t index;
};

template <class C>
__device__ inline bool Beats(const Candidate<C>& a, const Candidate<C>& b) {
  const bool a_is_nan = a.value != a.value, b_is_nan = b.value != b.value;
  const bool equal = a.value == b.value || (a_is_nan && b_is_nan);
  if (equal) return a.index < b.index;
  return a_is_nan || (!b_is_nan && a.value > b.value);
}

struct ArgmaxFunction {
  template <int kWidth, class T>
  __device__ static void Run(const Line<kWidth>& line, const T* x, const T*, int32_t* y) {
    using C = ComputeType<T>;
    Candidate<C> best = {Load(x[0]), 0};
    for (int64_t i = line.first(); i < line.size; i += kWidth) {
      const Candidate<C> candidate = {Load(x[line.At(i)]), static_cast<int32_t>(i)};
      if (Beats(candidate, best)) best = candidate;
    }
    if constexpr (kWidth > 1) {
      for (int mask = kWidth / 2; mask > 0; mask /= 2) {
        const Candidate<C> other = {OtherLane(best.value, mask), OtherLane(best.index, mask)};
        if (Beats(other, best)) best = other;
      }
    }
    if (line.first() == 0) *y = best.index;
  }
};

class ArgmaxPlan : public ConvertingPlan {
 public:
  ArgmaxPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, int axis)
      : ConvertingPlan(context, inputs, AllPlain(inputs), std::move(plan_outputs)),
        view_(inputs[0].shape, axis),
        type_(inputs[0].dtype) {}

 protected:
  // x [outer, size, inner] -> y [outer, inner]
  void LaunchConverted(const LaunchArgs& args) override {
    DispatchType(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      LaunchLines<ArgmaxFunction, T, int32_t>(context().stream, view_, 1, args.inputs[0], args.inputs[0],
                                              args.outputs[0]);
    });
  }

 private:
  AxisView view_;
  DType type_;
};

}  // namespace

PlanPtr PrepareArgmax(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return std::make_shared<ArgmaxPlan>(context, inputs, std::move(outputs), std::get<AxisParams>(op.params).axis);
}

}  // namespace residua::cuda
