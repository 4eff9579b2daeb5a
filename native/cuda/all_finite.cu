// Whether all elements of several tensors are finite: how a training step finds gradients that overflowed. Each launch
// looks at many tensors, whatever their layout.
#include <algorithm>

#include "cuda/cuda_plan.h"
#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

constexpr int kTensorsALaunch = 64;  // their addresses and sizes travel as a kernel's argument, of at most 4 KiB

template <class T>
struct TensorList {
  const T* data[kTensorsALaunch];
  int64_t size[kTensorsALaunch];
  int count = 0;
};

// Writes 0 to `finite` where any element is NaN or infinite.
template <class T>
__global__ void AllFiniteKernel(TensorList<T> tensors, uint8_t* finite) {
  for (int tensor = 0; tensor < tensors.count; ++tensor) {
    const T* x = tensors.data[tensor];
    for (int64_t i = GridThread(); i < tensors.size[tensor]; i += GridThreads()) {
      const float value = ToFloat(x[i]);
      if (value - value != 0) *finite = 0;  // infinity - infinity is NaN, and NaN differs from all
    }
  }
}

class AllFinitePlan : public CudaPlan {
 public:
  AllFinitePlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs)
      : CudaPlan(context), inputs_(inputs) {
    outputs = std::move(plan_outputs);
  }

  void Launch(const LaunchArgs& args) override {
    uint8_t* finite = static_cast<uint8_t*>(args.outputs[0]);
    RESIDUA_CUDA(cudaMemsetAsync(finite, 1, 1, context().stream));
    for (size_t begin = 0; begin < inputs_.size();) {
      const size_t end = EndOfLaunch(begin);
      DispatchFloat(inputs_[begin].dtype,
                    [&](auto tag) { LaunchTensors<typename decltype(tag)::Type>(args.inputs, begin, end, finite); });
      begin = end;
    }
  }

 private:
  // The tensors of one type that follow each other, as many as fit.
  size_t EndOfLaunch(size_t begin) const {
    size_t end = begin;
    while (end < inputs_.size() && end - begin < kTensorsALaunch && inputs_[end].dtype == inputs_[begin].dtype) ++end;
    return end;
  }

  template <class T>
  void LaunchTensors(void* const* inputs, size_t begin, size_t end, uint8_t* finite) {
    TensorList<T> tensors;
    int64_t largest = 1;
    for (size_t i = begin; i < end; ++i) {
      const int64_t size = NumElements(inputs_[i].shape);
      tensors.data[tensors.count] = static_cast<const T*>(inputs[i]);
      tensors.size[tensors.count] = size;
      tensors.count += 1;
      largest = std::max(largest, size);
    }
    const int blocks = BlocksFor(largest, std::max(1, 8 * context().multiprocessors));
    RESIDUA_LAUNCH(AllFiniteKernel<T>, blocks, kThreads, context().stream, tensors, finite);
  }

  Descs inputs_;
};

}  // namespace

PlanPtr PrepareAllFinite(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return std::make_shared<AllFinitePlan>(context, inputs, std::move(outputs));
}

}  // namespace residua::cuda
