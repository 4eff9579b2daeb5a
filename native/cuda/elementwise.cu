// Add, Sub, Mul, Div, Equal with NumPy broadcasting. Integers wrap, as in NumPy.
#include "cuda/cuda_plan.h"
#include "cuda/flat_kernel.h"
#include "cuda/strided_index.h"

namespace residua::cuda {
namespace {

struct AddFunction {
  __device__ static float Apply(float a, float b) { return a + b; }
  __device__ static int32_t Apply(int32_t a, int32_t b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
  }
};

struct SubFunction {
  __device__ static float Apply(float a, float b) { return a - b; }
  __device__ static int32_t Apply(int32_t a, int32_t b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
  }
};

struct MulFunction {
  __device__ static float Apply(float a, float b) { return a * b; }
  __device__ static int32_t Apply(int32_t a, int32_t b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
  }
};

struct DivFunction {  // floats only
  __device__ static float Apply(float a, float b) { return a / b; }
};

struct EqualFunction {
  template <class C>
  __device__ static int32_t Apply(C a, C b) {
    return a == b;
  }
};

// Bytes for a comparison, else the operands' type.
template <class Function, class T>
using OutputType = std::conditional_t<std::is_same_v<Function, EqualFunction>, uint8_t, T>;

template <class Function, class Body>
void DispatchOperands(DType dtype, const Body& body) {
  if constexpr (std::is_same_v<Function, DivFunction>) {
    DispatchFloat(dtype, body);
  } else {
    DispatchType(dtype, body);
  }
}

// y[i] = a[...] op b[...]: one output a thread.
template <class Function, class T>
__global__ void BroadcastKernel(StridedLoops<2> loops, const T* a, const T* b, OutputType<Function, T>* y,
                                int64_t count) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const Offsets<2> offsets = OffsetsOf(loops, i);
    const auto value = Function::Apply(Load(a[offsets.at[0]]), Load(b[offsets.at[1]]));
    y[i] = Store<OutputType<Function, T>>(value);
  }
}

// Operands of one shape, in the layout of operand `reference`.
template <class Function>
class FlatBinaryPlan : public ConvertingPlan {
 public:
  FlatBinaryPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, size_t reference)
      : ConvertingPlan(context, inputs, AllLike(inputs, reference), std::move(plan_outputs)), type_(inputs[0].dtype) {
    if (outputs[0].dtype == type_) overwritable = AllOf(inputs);
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    DispatchOperands<Function>(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      LaunchFlat<Function, T, OutputType<Function, T>>(context().stream, args.inputs[0], args.inputs[1],
                                                       args.outputs[0], NumElements(outputs[0].shape));
    });
  }

 private:
  DType type_;
};

// Operand `scalar` is a single value; the other is taken as it lies.
template <class Function>
class ScalarBinaryPlan : public CudaPlan {
 public:
  ScalarBinaryPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, int scalar)
      : CudaPlan(context), scalar_(scalar), type_(inputs[0].dtype) {
    outputs = std::move(plan_outputs);
  }

  void Launch(const LaunchArgs& args) override {
    DispatchOperands<Function>(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      using Out = OutputType<Function, T>;
      const auto launch = scalar_ == 0 ? LaunchFlat<Function, T, Out, 0, 1> : LaunchFlat<Function, T, Out, 1, 0>;
      launch(context().stream, args.inputs[0], args.inputs[1], args.outputs[0], NumElements(outputs[0].shape));
    });
  }

 private:
  int scalar_;
  DType type_;
};

// Operands of any shapes that broadcast, each as it lies.
template <class Function>
class BroadcastBinaryPlan : public CudaPlan {
 public:
  BroadcastBinaryPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs)
      : CudaPlan(context), loops_(BroadcastLoops(plan_outputs[0], inputs[0], inputs[1])), type_(inputs[0].dtype) {
    outputs = std::move(plan_outputs);
  }

  void Launch(const LaunchArgs& args) override {
    DispatchOperands<Function>(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      constexpr auto kernel = BroadcastKernel<Function, T>;
      const int64_t count = NumElements(outputs[0].shape);
      RESIDUA_LAUNCH(kernel, BlocksFor(count), kThreads, context().stream, loops_,
                     static_cast<const T*>(args.inputs[0]), static_cast<const T*>(args.inputs[1]),
                     static_cast<OutputType<Function, T>*>(args.outputs[0]), count);
    });
  }

 private:
  StridedLoops<2> loops_;
  DType type_;
};

// The output lies as the first operand of its shape that is not plain.
template <class Function>
PlanPtr PrepareBinary(const CudaContext& context, const Descs& inputs, Descs outputs) {
  const TensorDesc &a = inputs[0], &b = inputs[1];
  TensorDesc& y = outputs[0];
  const size_t reference = a.shape == y.shape && !(a.plain() && b.shape == y.shape) ? 0 : 1;
  if (inputs[reference].shape == y.shape) y.layout = inputs[reference].layout;
  y.bytes = static_cast<size_t>(NumElements(y.shape)) * SizeOf(y.dtype);

  if (a.shape == b.shape) {
    return std::make_shared<FlatBinaryPlan<Function>>(context, inputs, std::move(outputs), reference);
  }
  for (int scalar = 0; scalar < 2; ++scalar) {
    if (NumElements(inputs[scalar].shape) == 1 && inputs[1 - scalar].shape == y.shape) {
      return std::make_shared<ScalarBinaryPlan<Function>>(context, inputs, std::move(outputs), scalar);
    }
  }
  return std::make_shared<BroadcastBinaryPlan<Function>>(context, inputs, std::move(outputs));
}

}  // namespace

PlanPtr PrepareAdd(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<AddFunction>(context, inputs, std::move(outputs));
}

PlanPtr PrepareSub(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<SubFunction>(context, inputs, std::move(outputs));
}

PlanPtr PrepareMul(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<MulFunction>(context, inputs, std::move(outputs));
}

PlanPtr PrepareDiv(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<DivFunction>(context, inputs, std::move(outputs));
}

PlanPtr PrepareEqual(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareBinary<EqualFunction>(context, inputs, std::move(outputs));
}

}  // namespace residua::cuda
