// ReLU, its gradient, that of two users at once, and addition with ReLU, in any layout (padding stays 0). NaN passes
// through.
#include <cstring>

#include "cpu/bfloat16_loops.h"
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread gets at least

// y = f(a, b), elementwise. ReLU reads its one input as both.
using Kernel = void (*)(const void* a, const void* b, void* y, int64_t count);

struct ReluOp {
  static RESIDUA_INLINE float Apply(float x, float) { return x < 0 ? 0 : x; }
};
struct ReluBackwardOp {
  static RESIDUA_INLINE float Apply(float dy, float y) { return y <= 0 ? 0 : dy; }
};
struct AddReluOp {
  static RESIDUA_INLINE float Apply(float a, float b) { return a + b < 0 ? 0 : a + b; }
};

template <class OpType, class T>
RESIDUA_INLINE void Loop(const void* a_bytes, const void* b_bytes, void* y_bytes, int64_t count) {
  const T* a = static_cast<const T*>(a_bytes);
  const T* b = static_cast<const T*>(b_bytes);
  T* y = static_cast<T*>(y_bytes);
  RESIDUA_IN_PLACE_LOOP
  for (int64_t i = 0; i < count; ++i) y[i] = Store<T>(OpType::Apply(Load(a[i]), Load(b[i])));
}

RESIDUA_SIMD void ReluFloat(const void* a, const void* b, void* y, int64_t n) { Loop<ReluOp, float>(a, b, y, n); }
RESIDUA_SIMD void ReluBFloat16(const void* a, const void* b, void* y, int64_t n) { Loop<ReluOp, BFloat16>(a, b, y, n); }
void ReluFloat16(const void* a, const void* b, void* y, int64_t n) { Loop<ReluOp, Float16>(a, b, y, n); }
RESIDUA_SIMD void ReluBackwardFloat(const void* a, const void* b, void* y, int64_t n) {
  Loop<ReluBackwardOp, float>(a, b, y, n);
}
RESIDUA_SIMD void ReluBackwardBFloat16(const void* a, const void* b, void* y, int64_t n) {
  Loop<ReluBackwardOp, BFloat16>(a, b, y, n);
}
void ReluBackwardFloat16(const void* a, const void* b, void* y, int64_t n) {
  Loop<ReluBackwardOp, Float16>(a, b, y, n);
}
RESIDUA_SIMD void AddReluFloat(const void* a, const void* b, void* y, int64_t n) { Loop<AddReluOp, float>(a, b, y, n); }
RESIDUA_SIMD void PlainAddReluBFloat16(const void* a, const void* b, void* y, int64_t n) {
  Loop<AddReluOp, BFloat16>(a, b, y, n);
}
Kernel AddReluBFloat16() {
  const BFloat16Loops* loops = VectorBFloat16Loops();
  return loops ? loops->add_relu : PlainAddReluBFloat16;
}
void AddReluFloat16(const void* a, const void* b, void* y, int64_t n) { Loop<AddReluOp, Float16>(a, b, y, n); }

// dx = y <= 0 ? 0 : a + b
using GradientSumKernel = void (*)(const void* a, const void* b, const void* y, void* dx, int64_t count);

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>;

template <class T>
RESIDUA_INLINE void GradientSumLoop(const void* a_bytes, const void* b_bytes, const void* y_bytes, void* dx_bytes,
                                    int64_t count) {
  const T* a = static_cast<const T*>(a_bytes);
  const T* b = static_cast<const T*>(b_bytes);
  const T* y = static_cast<const T*>(y_bytes);
  T* dx = static_cast<T*>(dx_bytes);
  RESIDUA_IN_PLACE_LOOP
  for (int64_t i = 0; i < count; ++i) {
    // A mask of bits: the compiler makes a branch of a choice between 0 and a sum, and then no vectors.
    const T sum = Store<T>(Load(a[i]) + Load(b[i]));
    Bits<T> bits;
    std::memcpy(&bits, &sum, sizeof(bits));
    bits &= static_cast<Bits<T>>(-static_cast<int32_t>(!(Load(y[i]) <= 0)));
    std::memcpy(&dx[i], &bits, sizeof(bits));
  }
}

RESIDUA_SIMD void GradientSumFloat(const void* a, const void* b, const void* y, void* dx, int64_t n) {
  GradientSumLoop<float>(a, b, y, dx, n);
}
RESIDUA_SIMD void PlainGradientSumBFloat16(const void* a, const void* b, const void* y, void* dx, int64_t n) {
  GradientSumLoop<BFloat16>(a, b, y, dx, n);
}
GradientSumKernel GradientSumBFloat16() {
  const BFloat16Loops* loops = VectorBFloat16Loops();
  return loops ? loops->gradient_sum : PlainGradientSumBFloat16;
}
void GradientSumFloat16(const void* a, const void* b, const void* y, void* dx, int64_t n) {
  GradientSumLoop<Float16>(a, b, y, dx, n);
}

template <class Kernel>
Kernel Select(DType dtype, Kernel float32, Kernel bfloat16, Kernel float16) {
  switch (dtype) {
    case DType::kFloat32:
      return float32;
    case DType::kBFloat16:
      return bfloat16;
    case DType::kFloat16:
      return float16;
    default:
      throw Error(ErrorCode::kDType, std::string("Expected a floating-point type, got ") + Name(dtype) + ".");
  }
}

class ActivationPlan : public FlatPlan {
 public:
  ActivationPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, size_t reference, Kernel kernel)
      : FlatPlan(context, inputs, std::move(plan_outputs), reference),
        kernel_(kernel),
        last_input_(inputs.size() - 1),
        size_(SizeOf(inputs[0].dtype)) {
    overwritable = AllOf(inputs);
  }

 protected:
  void RunFlat(const void* const* inputs, void* const* out, int64_t count) override {
    const char* a = static_cast<const char*>(inputs[0]);
    const char* b = static_cast<const char*>(inputs[last_input_]);
    char* y = static_cast<char*>(out[0]);
    ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
      kernel_(a + begin * size_, b + begin * size_, y + begin * size_, end - begin);
    });
  }

 private:
  Kernel kernel_;
  size_t last_input_;
  int64_t size_;  // bytes an element
};

class GradientSumPlan : public FlatPlan {
 public:
  GradientSumPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, size_t reference)
      : FlatPlan(context, inputs, std::move(plan_outputs), reference),
        kernel_(
            Select<GradientSumKernel>(inputs[0].dtype, GradientSumFloat, GradientSumBFloat16(), GradientSumFloat16)),
        size_(SizeOf(inputs[0].dtype)) {
    overwritable = AllOf(inputs);
  }

 protected:
  void RunFlat(const void* const* inputs, void* const* out, int64_t count) override {
    const auto at = [this](const void* start, int64_t i) { return static_cast<const char*>(start) + i * size_; };
    char* dx = static_cast<char*>(out[0]);
    ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
      kernel_(at(inputs[0], begin), at(inputs[1], begin), at(inputs[2], begin), dx + begin * size_, end - begin);
    });
  }

 private:
  GradientSumKernel kernel_;
  int64_t size_;  // bytes an element
};

// Lays the output out as the first input that is not plain; returns which that is.
size_t TakeLayout(const Descs& inputs, TensorDesc* output) {
  size_t reference = 0;
  while (reference + 1 < inputs.size() && inputs[reference].plain()) ++reference;
  output->layout = inputs[reference].layout;
  output->bytes = inputs[reference].bytes;
  return reference;
}

PlanPtr Prepare(const CpuContext& context, const Descs& inputs, Descs outputs, Kernel kernel) {
  const size_t reference = TakeLayout(inputs, &outputs[0]);
  return std::make_shared<ActivationPlan>(context, inputs, std::move(outputs), reference, kernel);
}

}  // namespace

PlanPtr PrepareRelu(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return Prepare(context, inputs, std::move(outputs), Select(inputs[0].dtype, ReluFloat, ReluBFloat16, ReluFloat16));
}

PlanPtr PrepareReluBackward(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return Prepare(context, inputs, std::move(outputs),
                 Select(inputs[0].dtype, ReluBackwardFloat, ReluBackwardBFloat16, ReluBackwardFloat16));
}

PlanPtr PrepareAddRelu(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return Prepare(context, inputs, std::move(outputs),
                 Select<Kernel>(inputs[0].dtype, AddReluFloat, AddReluBFloat16(), AddReluFloat16));
}

PlanPtr PrepareAddReluBackward(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  const size_t reference = TakeLayout(inputs, &outputs[0]);
  return std::make_shared<GradientSumPlan>(context, inputs, std::move(outputs), reference);
}

}  // namespace residua::cpu
