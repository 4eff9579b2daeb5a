// ReLU, its gradient, and addition with ReLU, in any layout. NaN passes through.
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
        type_(inputs[0].dtype) {}

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

// The output takes the layout of the first input that is not plain.
template <class Function>
PlanPtr PrepareActivation(const CudaContext& context, const Descs& inputs, Descs outputs) {
  size_t reference = 0;
  while (reference + 1 < inputs.size() && inputs[reference].plain()) ++reference;
  outputs[0].layout = inputs[reference].layout;
  outputs[0].bytes = inputs[reference].bytes;
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

}  // namespace residua::cuda
