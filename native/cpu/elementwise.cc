// Add, Sub, Mul, Div, Equal with NumPy broadcasting.
#include "cpu/bfloat16_loops.h"
#include "cpu/broadcast.h"
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread gets at least

// Integers wrap, as in NumPy. `kKeepsZero`: 0 op 0 is 0, so that the padding of blocked layouts stays 0.
struct AddOp {
  static constexpr bool kKeepsZero = true;
  static constexpr BFloat16Loops::Binary BFloat16Loops::*kVectorLoop = &BFloat16Loops::add;
  static RESIDUA_INLINE float Apply(float a, float b) { return a + b; }
  static RESIDUA_INLINE int32_t Apply(int32_t a, int32_t b) { return static_cast<int32_t>(uint32_t(a) + uint32_t(b)); }
};

struct SubOp {
  static constexpr bool kKeepsZero = true;
  static constexpr BFloat16Loops::Binary BFloat16Loops::*kVectorLoop = &BFloat16Loops::subtract;
  static RESIDUA_INLINE float Apply(float a, float b) { return a - b; }
  static RESIDUA_INLINE int32_t Apply(int32_t a, int32_t b) { return static_cast<int32_t>(uint32_t(a) - uint32_t(b)); }
};

struct MulOp {
  static constexpr bool kKeepsZero = true;
  static constexpr BFloat16Loops::Binary BFloat16Loops::*kVectorLoop = &BFloat16Loops::multiply;
  static RESIDUA_INLINE float Apply(float a, float b) { return a * b; }
  static RESIDUA_INLINE int32_t Apply(int32_t a, int32_t b) { return static_cast<int32_t>(uint32_t(a) * uint32_t(b)); }
};

struct DivOp {  // floats only
  static constexpr bool kKeepsZero = false;
  static constexpr std::nullptr_t kVectorLoop = nullptr;
  static RESIDUA_INLINE float Apply(float a, float b) { return a / b; }
};

struct EqualOp {
  static constexpr bool kKeepsZero = false;
  static constexpr std::nullptr_t kVectorLoop = nullptr;
  template <class C>
  static RESIDUA_INLINE int32_t Apply(C a, C b) {
    return a == b;
  }
};

// The output's type: bytes for a comparison, else the operands' type.
template <class OpType, class T>
using OutputType = std::conditional_t<std::is_same_v<OpType, EqualOp>, uint8_t, T>;

// y[i] = a[i * stride_a] op b[i * stride_b]; strides are 0 or 1.
using Kernel = void (*)(const void* a, int64_t stride_a, const void* b, int64_t stride_b, void* y, int64_t count);

template <class OpType, class T>
void BinaryKernel(const void* a_bytes, int64_t stride_a, const void* b_bytes, int64_t stride_b, void* y_bytes,
                  int64_t count) {
  using Out = OutputType<OpType, T>;
  const T* a = static_cast<const T*>(a_bytes);
  const T* b = static_cast<const T*>(b_bytes);
  Out* y = static_cast<Out*>(y_bytes);
  if (stride_a == 1 && stride_b == 1) {
    RESIDUA_IN_PLACE_LOOP
    for (int64_t i = 0; i < count; ++i) y[i] = Store<Out>(OpType::Apply(Load(a[i]), Load(b[i])));
  } else if (stride_a == 1) {
    const auto scalar = Load(*b);
    for (int64_t i = 0; i < count; ++i) y[i] = Store<Out>(OpType::Apply(Load(a[i]), scalar));
  } else if (stride_b == 1) {
    const auto scalar = Load(*a);
    for (int64_t i = 0; i < count; ++i) y[i] = Store<Out>(OpType::Apply(scalar, Load(b[i])));
  } else {
    std::fill_n(y, count, Store<Out>(OpType::Apply(Load(*a), Load(*b))));
  }
}

// The same for operands of bfloat16, which the processor's own instructions round.
template <class OpType>
void VectorKernel(const void* a, int64_t stride_a, const void* b, int64_t stride_b, void* y, int64_t count) {
  if (stride_a == 1 && stride_b == 1) return (VectorBFloat16Loops()->*OpType::kVectorLoop)(a, b, y, count);
  BinaryKernel<OpType, BFloat16>(a, stride_a, b, stride_b, y, count);
}

// Operands of one shape, in the layout of operand `reference`, which the output takes over.
class FlatBinaryPlan : public FlatPlan {
 public:
  FlatBinaryPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, Kernel kernel, size_t reference)
      : FlatPlan(context, inputs, std::move(plan_outputs), reference), kernel_(kernel), size_(SizeOf(inputs[0].dtype)) {
    overwritable = AllOf(inputs);
  }

 protected:
  void RunFlat(const void* const* inputs, void* const* out, int64_t count) override {
    const char* a = static_cast<const char*>(inputs[0]);
    const char* b = static_cast<const char*>(inputs[1]);
    char* y = static_cast<char*>(out[0]);
    ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
      kernel_(a + begin * size_, 1, b + begin * size_, 1, y + begin * size_, end - begin);
    });
  }

 private:
  Kernel kernel_;
  int64_t size_;  // bytes an element, of operands and output alike
};

// One operand is a single value, the other has a layout without padding, which the output takes over.
class ScalarBinaryPlan : public CpuPlan {
 public:
  ScalarBinaryPlan(const Descs& inputs, Descs plan_outputs, Kernel kernel, int scalar)
      : kernel_(kernel), size_(SizeOf(inputs[0].dtype)), stride_a_(scalar == 0 ? 0 : 1), stride_b_(1 - stride_a_) {
    outputs = std::move(plan_outputs);
  }

  void Run(void* const* inputs, void* const* out, void*) override {
    const char* a = static_cast<const char*>(inputs[0]);
    const char* b = static_cast<const char*>(inputs[1]);
    char* y = static_cast<char*>(out[0]);
    ParallelFor(static_cast<int64_t>(outputs[0].bytes) / size_, kGrain, [&](int64_t begin, int64_t end) {
      kernel_(a + begin * size_ * stride_a_, stride_a_, b + begin * size_ * stride_b_, stride_b_, y + begin * size_,
              end - begin);
    });
  }

 private:
  Kernel kernel_;
  int64_t size_;
  int64_t stride_a_, stride_b_;
};

// Plain operands of any shapes that broadcast.
class BroadcastBinaryPlan : public PlainPlan {
 public:
  BroadcastBinaryPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, Kernel kernel)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        kernel_(kernel),
        broadcast_(outputs[0].shape, inputs[0].shape, inputs[1].shape),
        input_size_(SizeOf(inputs[0].dtype)),
        output_size_(SizeOf(outputs[0].dtype)) {
    if (inputs[0].shape == inputs[1].shape && input_size_ == output_size_) overwritable = AllOf(inputs);
  }

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const char* a = static_cast<const char*>(inputs[0]);
    const char* b = static_cast<const char*>(inputs[1]);
    char* y = static_cast<char*>(out[0]);
    const auto [stride_a, stride_b] = broadcast_.loops.back().strides;
    ParallelFor(NumElements(outputs[0].shape), kGrain, [&, sa = stride_a, sb = stride_b](int64_t begin, int64_t end) {
      broadcast_.ForEachRun(begin, end, [&](int64_t at, int64_t at_a, int64_t at_b, int64_t length) {
        kernel_(a + at_a * input_size_, sa, b + at_b * input_size_, sb, y + at * output_size_, length);
      });
    });
  }

 private:
  Kernel kernel_;
  Broadcast broadcast_;
  int64_t input_size_, output_size_;  // bytes an element
};

template <class OpType>
Kernel KernelFor(DType dtype) {
  if constexpr (!std::is_same_v<decltype(OpType::kVectorLoop), const std::nullptr_t>) {
    if (dtype == DType::kBFloat16 && VectorBFloat16Loops()) return VectorKernel<OpType>;
  }
  const auto select = [](auto tag) -> Kernel { return &BinaryKernel<OpType, typename decltype(tag)::Type>; };
  if constexpr (std::is_same_v<OpType, DivOp>) {
    return DispatchFloat(dtype, select);
  } else {
    return DispatchType(dtype, select);
  }
}

template <class OpType>
PlanPtr PrepareBinary(const CpuContext& context, const Descs& inputs, Descs outputs) {
  const TensorDesc &a = inputs[0], &b = inputs[1];
  const Kernel kernel = KernelFor<OpType>(a.dtype);
  TensorDesc& y = outputs[0];
  const bool same_type = a.dtype == y.dtype;
  const auto take_layout = [&y](const TensorDesc& from) {
    y.layout = from.layout;
    y.bytes = from.bytes;
  };
  const size_t reference = a.plain() ? 1 : 0;  // the operand that is not plain, if any
  const TensorDesc& model = inputs[reference];
  if (same_type && a.shape == b.shape && !model.plain() && (OpType::kKeepsZero || !HasPadding(model))) {
    take_layout(model);
    return std::make_shared<FlatBinaryPlan>(context, inputs, std::move(outputs), kernel, reference);
  }
  for (int scalar = 0; scalar < 2; ++scalar) {
    const TensorDesc& full = inputs[1 - scalar];
    const bool is_scalar = NumElements(inputs[scalar].shape) == 1 && full.shape == y.shape;
    if (same_type && is_scalar && !full.plain() && !HasPadding(full)) {
      take_layout(full);
      return std::make_shared<ScalarBinaryPlan>(inputs, std::move(outputs), kernel, scalar);
    }
  }
  y = PlainDesc(y.dtype, y.shape);
  return std::make_shared<BroadcastBinaryPlan>(context, inputs, std::move(outputs), kernel);
}

}  // namespace

PlanPtr PrepareAdd(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<AddOp>(context, inputs, std::move(outputs));
}

PlanPtr PrepareSub(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<SubOp>(context, inputs, std::move(outputs));
}

PlanPtr PrepareMul(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<MulOp>(context, inputs, std::move(outputs));
}

PlanPtr PrepareDiv(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<DivOp>(context, inputs, std::move(outputs));
}

PlanPtr PrepareEqual(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<EqualOp>(context, inputs, std::move(outputs));
}

}  // namespace residua::cpu
