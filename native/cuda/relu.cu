// ReLU, its gradient, that of two users at once, and addition with ReLU, in any layout. NaN passes through.
#include "cuda/cuda_plan.h"
#include "cuda/flat_kernel.h"

namespace residua::cuda {
namespace {

// ReLU reads its one input as both.
struct ReluFunction {
  __device__ static float Apply(float x, float) { return x < 0 ? 0.0f : x; }
};
struct ReluBackwardFunction {
  __device__ static float Apply(float dy, float y) { return y <= 0 ? 0.0f : dy; }
};
struct AddReluFunction {
  __device__ static float Apply(float a, float b) { return a + b < 0 ? 0.0f : a + b; }
};

template <class Function>
class ActivationPlan : public ConvertingPlan {
 public:
  ActivationPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, size_t reference)
      : ConvertingPlan(context, inputs, AllLike(inputs, reference), std::move(plan_outputs)),
        last_input_(inputs.size() - 1),
        count_(NumElements(inputs[0].shape)),
        type_(inputs[0].dtype) {
    overwritable = AllOf(inputs);
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      LaunchFlat<Function, T, T>(context().stream, args.inputs[0], args.inputs[last_input_], args.outputs[0], count_);
    });
  }

 private:
  size_t last_input_;
  int64_t count_;
  DType type_;
};

// dx = y <= 0 ? 0 : a + b, kPackOf<T> elements at a time
template <class T>
__global__ void GradientSumKernel(const T* a, const T* b, const T* y, T* dx, int64_t count) {
  constexpr int kCount = kPackOf<T>;
  const auto gradient = [](T a_value, T b_value, T y_value) {
    return Store<T>(ReluBackwardFunction::Apply(Load(a_value) + Load(b_value), Load(y_value)));
  };
  for (int64_t at = GridThread() * kCount; at < count; at += GridThreads() * kCount) {
    if (at + kCount > count) {  // the tail
      for (int64_t i = at; i < count; ++i) dx[i] = gradient(a[i], b[i], y[i]);
      return;
    }
    const Pack<T, kCount> pack_a = LoadPack<kCount>(a + at);
    const Pack<T, kCount> pack_b = LoadPack<kCount>(b + at);
    const Pack<T, kCount> pack_y = LoadPack<kCount>(y + at);
    Pack<T, kCount> result;
    for (int k = 0; k < kCount; ++k) {
      result.values[k] = gradient(pack_a.values[k], pack_b.values[k], pack_y.values[k]);
    }
    StorePack(result, dx + at);
  }
}

class GradientSumPlan : public ConvertingPlan {
 public:
  GradientSumPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, size_t reference)
      : ConvertingPlan(context, inputs, AllLike(inputs, reference), std::move(plan_outputs)),
        count_(NumElements(inputs[0].shape)),
        type_(inputs[0].dtype) {
    overwritable = AllOf(inputs);
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      constexpr auto kernel = GradientSumKernel<T>;
      const auto input = [&](size_t i) { return static_cast<const T*>(args.inputs[i]); };
      const int64_t packs = (count_ + kPackOf<T> - 1) / kPackOf<T>;
      RESIDUA_LAUNCH(kernel, BlocksFor(packs), kThreads, context().stream, input(0), input(1), input(2),
                     static_cast<T*>(args.outputs[0]), count_);
    });
  }

 private:
  int64_t count_;
  DType type_;
};

// Lays the output out as the first input that is not plain; returns which that is.
size_t TakeLayout(const Descs& inputs, TensorDesc* output) {
  size_t reference = 0;
  while (reference + 1 < inputs.size() && inputs[reference].plain()) ++reference;
  output->layout = inputs[reference].layout;
  output->bytes = inputs[reference].bytes;
  return reference;
}

template <class Function>
PlanPtr PrepareActivation(const CudaContext& context, const Descs& inputs, Descs outputs) {
  const size_t reference = TakeLayout(inputs, &outputs[0]);
  return std::make_shared<ActivationPlan<Function>>(context, inputs, std::move(outputs), reference);
}

}  // namespace

PlanPtr PrepareRelu(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareActivation<ReluFunction>(context, inputs, std::move(outputs));
}

PlanPtr PrepareReluBackward(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareActivation<ReluBackwardFunction>(context, inputs, std::move(outputs));
}

PlanPtr PrepareAddRelu(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return PrepareActivation<AddReluFunction>(context, inputs, std::move(outputs));
}

PlanPtr PrepareAddReluBackward(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  const size_t reference = TakeLayout(inputs, &outputs[0]);
  return std::make_shared<GradientSumPlan>(context, inputs, std::move(outputs), reference);
}

}  // namespace residua::cuda
