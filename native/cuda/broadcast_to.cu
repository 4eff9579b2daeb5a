// BroadcastTo: repeats a tensor, read as it lies, along the axes that it lacks or where it has 1.
#include "cuda/cuda_plan.h"
#include "cuda/strided_index.h"

namespace residua::cuda {
namespace {

// T: an unsigned integer as large as the elements.
template <class T>
__global__ void RepeatKernel(StridedLoops<2> loops, const T* x, T* y, int64_t count) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) y[i] = x[OffsetsOf(loops, i).at[0]];
}

class BroadcastToPlan : public CudaPlan {
 public:
  BroadcastToPlan(const CudaContext& context, const TensorDesc& x, Descs plan_outputs)
      : CudaPlan(context), loops_(BroadcastLoops(plan_outputs[0], x, x)) {
    outputs = std::move(plan_outputs);
  }

  void Launch(const LaunchArgs& args) override {
    switch (SizeOf(outputs[0].dtype)) {
      case 4:
        return Repeat<uint32_t>(args);
      case 2:
        return Repeat<uint16_t>(args);
      default:
        return Repeat<uint8_t>(args);
    }
  }

 private:
  template <class T>
  void Repeat(const LaunchArgs& args) const {
    const int64_t count = NumElements(outputs[0].shape);
    RESIDUA_LAUNCH(RepeatKernel<T>, BlocksFor(count), kThreads, context().stream, loops_,
                   static_cast<const T*>(args.inputs[0]), static_cast<T*>(args.outputs[0]), count);
  }

  StridedLoops<2> loops_;
};

}  // namespace

PlanPtr PrepareBroadcastTo(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return std::make_shared<BroadcastToPlan>(context, inputs[0], std::move(outputs));
}

}  // namespace residua::cuda
