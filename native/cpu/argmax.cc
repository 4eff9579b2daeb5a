// Argmax along an axis: the first of equals; NaN counts as the largest value, as in NumPy and PyTorch.
#include "cpu/axis_view.h"
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread looks at, at least

template <class C>
bool IsNan(C value) {
  return value != value;
}

template <class T>
int32_t ArgmaxLine(const T* x, int64_t size, int64_t stride) {
  int64_t best = 0;
  auto largest = Load(x[0]);
  for (int64_t i = 1; i < size && !IsNan(largest); ++i) {
    const auto value = Load(x[i * stride]);
    if (value > largest || IsNan(value)) {
      largest = value;
      best = i;
    }
  }
  return static_cast<int32_t>(best);
}

class ArgmaxPlan : public PlainPlan {
 public:
  ArgmaxPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, int axis)
      : PlainPlan(context, inputs, std::move(plan_outputs)), view_(inputs[0].shape, axis), type_(inputs[0].dtype) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    int32_t* y = static_cast<int32_t*>(out[0]);  // [outer, inner]
    DispatchType(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      const T* x = static_cast<const T*>(inputs[0]);  // [outer, size, inner]
      ParallelFor(view_.lines(), kGrain / std::max<int64_t>(1, view_.size), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) y[i] = ArgmaxLine(x + view_.Begin(i), view_.size, view_.inner);
      });
    });
  }

 private:
  AxisView view_;
  DType type_;
};

}  // namespace

PlanPtr PrepareArgmax(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainDesc(DType::kInt32, outputs[0].shape);
  return std::make_shared<ArgmaxPlan>(context, inputs, std::move(outputs), std::get<AxisParams>(op.params).axis);
}

}  // namespace residua::cpu
