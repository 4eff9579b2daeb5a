// Whether all elements of several tensors are finite: how a training step finds gradients that overflowed. Looks at the
// storage as it lies: padding is 0, which is finite.
#include <atomic>

#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 65536;  // elements a thread looks at, at least

template <class T>
bool IsFinite(const T* x, int64_t count) {
  int32_t wrong = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float value = Load(x[i]);
    wrong |= value - value != 0;  // infinity - infinity is NaN, and NaN differs from all
  }
  return wrong == 0;
}

class AllFinitePlan : public CpuPlan {
 public:
  AllFinitePlan(const Descs& inputs, Descs plan_outputs) : inputs_(inputs) { outputs = std::move(plan_outputs); }

  void Run(void* const* inputs, void* const* out, void*) override {
    std::atomic<bool> finite{true};
    for (size_t i = 0; i < inputs_.size(); ++i) {
      DispatchFloat(inputs_[i].dtype, [&](auto tag) {
        using T = typename decltype(tag)::Type;
        const T* x = static_cast<const T*>(inputs[i]);
        ParallelFor(static_cast<int64_t>(inputs_[i].bytes / sizeof(T)), kGrain, [&](int64_t begin, int64_t end) {
          if (!IsFinite(x + begin, end - begin)) finite = false;
        });
      });
    }
    *static_cast<uint8_t*>(out[0]) = finite;
  }

 private:
  Descs inputs_;
};

}  // namespace

PlanPtr PrepareAllFinite(const CpuContext&, const Op&, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainDesc(DType::kUInt8, outputs[0].shape);
  return std::make_shared<AllFinitePlan>(inputs, std::move(outputs));
}

}  // namespace residua::cpu
